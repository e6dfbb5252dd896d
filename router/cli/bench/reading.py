"""How many messages one core reads in a second, and how long the slow ones take."""

import json
import os
import time
from collections.abc import Callable, Iterator
from importlib import resources

import click
import msgspec

from router.cli.bench.figures import told
from router.readers.small import Small
from router.understanding.evaluate import Message
from router.understanding.reader import RuleReader
from router.understanding.tiers import open_reader

_LATE = 95  # the percentile that is promised


@click.command()
@click.option(
    "--count",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="How many messages to read, spread over the shipped training set.",
)
@click.option("--rules", is_flag=True, help="Only what the rules read, without weights.")
@click.option("--urgent", is_flag=True, help="Only what intake asks: whether it cannot wait.")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def reading(count: int, *, rules: bool, urgent: bool, as_json: bool) -> None:
    """Read messages on one core and print the CPU that each took."""
    small = RuleReader()
    reader, warning = (small, None) if rules or urgent else open_reader()
    if warning is not None:
        click.echo(warning, err=True)
    read: Callable[[str], object] = Small(small).is_urgent if urgent else reader.read
    texts = _spread(count)
    for text in texts[:20]:
        read(text)  # what is compiled or loaded at first use is not the message's
    spent = []
    for text in texts:
        began = time.thread_time()
        read(text)
        spent.append((time.thread_time() - began) * 1000)
    spent.sort()
    found = {
        "reader": reader.name,
        "messages": len(spent),
        "load": os.getloadavg()[0],
        "a_second_of_cpu": round(len(spent) * 1000 / sum(spent)),
        "median_ms": round(spent[len(spent) // 2], 3),
        f"p{_LATE}_ms": round(spent[min(len(spent) - 1, len(spent) * _LATE // 100)], 3),
    }
    click.echo(json.dumps(found) if as_json else told(found))


def _spread(count: int) -> list[str]:
    """Return ``count`` texts, evenly spread over the training set and round again."""
    held = list(_shipped())
    step = max(1, len(held) // count)
    spread = held[::step]
    return [spread[at % len(spread)] for at in range(count)]


def _shipped() -> Iterator[str]:
    home = resources.files("router.understanding").joinpath("training")
    decoder = msgspec.json.Decoder(Message)
    for each in sorted(home.iterdir(), key=lambda file: file.name):
        if each.name.endswith(".jsonl"):
            for line in each.read_bytes().splitlines():
                yield decoder.decode(line).text
