"""How long one daemon's notice takes to another one over a broker, when nothing else is said."""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from router.cli.bench.figures import spread, told
from router.cli.bench.ground import LOOPBACK, free_port, running
from router.daemon import SystemClock, SystemIds
from router.domain.events import Happened, Logged
from router.logs import configure
from router.transport.mqtt import Broker, News, Notices
from router.transport.settings import TransportSettings

_PATIENCE_S = 10.0
#: Between two messages, so that each is alone: longer than notices gather.
_PAUSE_S = 0.1
_WARM = 3
_MQTT = 1883


@click.command()
@click.option("--messages", type=click.IntRange(1), default=100, show_default=True)
@click.option(
    "--broker",
    "address",
    default="",
    help="mqtt://host:port; a Mosquitto of its own if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def mqtt(*, messages: int, address: str, as_json: bool) -> None:
    """Let two daemons' notices stand at a broker; time from saying one until the other hears."""
    configure(json=None, level="warning")
    with _given(address) if address else _of_its_own() as broker:
        spent = asyncio.run(_heard(broker, messages))
    found: dict[str, Any] = {
        "messages": messages,
        "load": os.getloadavg()[0],
        "publish_to_receive": spread(spent),
    }
    click.echo(json.dumps(found) if as_json else told(found))


@contextmanager
def _given(address: str) -> Iterator[Broker]:
    url = urlsplit(address)
    yield Broker(host=url.hostname or LOOPBACK, port=url.port or _MQTT, installation="bench")


@contextmanager
def _of_its_own() -> Iterator[Broker]:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise click.ClickException("there is no mosquitto here; name a broker with --broker")
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as name:
        port, settings = free_port(), Path(name) / "mosquitto.conf"
        settings.write_text(f"listener {port} {LOOPBACK}\nallow_anonymous true\n", "ascii")
        process = subprocess.Popen(  # noqa: S603  our own arguments
            [program, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with running(process):
            yield Broker(host=LOOPBACK, port=port, installation="bench")


async def _heard(broker: Broker, messages: int) -> list[float]:
    """Return how long each notice took, in seconds."""
    news: asyncio.Queue[int] = asyncio.Queue()
    in_touch = asyncio.Event()
    saying = _notices(broker, "one", lambda _seq: in_touch.set())
    hearing = _notices(broker, "other", news.put_nowait)
    spent = []
    async with asyncio.TaskGroup() as tasks:
        for each in (saying, hearing):
            tasks.create_task(each.run())
        async with asyncio.timeout(_PATIENCE_S):
            await in_touch.wait()
            await news.get()  # "perhaps", since it is in touch
        for seq in range(1, _WARM + messages + 1):
            await asyncio.sleep(_PAUSE_S)
            event = Logged(seq=seq, at=SystemClock().now(), event=Happened(kind="note_added"))
            began = time.perf_counter()
            saying.committed((event,))
            async with asyncio.timeout(_PATIENCE_S):
                while await news.get() != seq:
                    continue
            spent.append(time.perf_counter() - began)
        saying.stop()
        hearing.stop()
    return spent[_WARM:]


def _notices(broker: Broker, name: str, news: News) -> Notices:
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as media:
        settings = TransportSettings(media=Path(media))
    return Notices(broker, daemon=name, news=news, ids=SystemIds(), settings=settings)
