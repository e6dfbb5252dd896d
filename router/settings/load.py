"""The configuration: read, checked all at once, and handed out as values.

Shipped defaults, then the folder named by ``MAINSTEM_CONFIG`` (``config/local`` of a checkout if it
is there), then environment variables. A secret is never written down but pointed at: ``{ env =
"NAME" }``, or ``{ generate = "name" }`` for one that is made on first use and kept in the data
folder.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from router.channel.accounts import Account
from router.domain.ids import AccountName
from router.domain.policy import ShopPolicy
from router.resources import resource
from router.service.botport import BotChoice
from router.settings.accounts import Surroundings, is_pointer, read_accounts
from router.settings.bots import read_bots
from router.settings.files import MemberFile, Problem, RouterFile, duration, read_struct
from router.settings.shop import read_policy

_FILES = (
    *("router", "queues", "skills", "routing", "cases", "crisis", "bot", "coach", "hours"),
    "knowledge",
)
_ENVIRONMENT = {
    "MAINSTEM_LISTEN": "listen",
    "MAINSTEM_PUBLIC_URL": "public_url",
    "MAINSTEM_DATABASE_URL": "database_url",
    "MAINSTEM_DATA": "data",
    "MAINSTEM_MQTT_URL": "mqtt_url",
    "MAINSTEM_LOG_LEVEL": "log_level",
}


class ConfigError(Exception):
    """The configuration cannot be used; ``problems`` names each file, key and fix."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is in force. ``sources`` names the folders that were read, the last one wins."""

    host: str
    port: int
    public_url: str
    database_url: str
    data: Path
    mqtt_url: str
    log_level: str
    private_media: bool
    send_attempts: int
    send_within: timedelta
    media: Path
    intake_batch: int
    intake_line: int
    readers: int
    demo_members: tuple[MemberFile, ...]
    policy: ShopPolicy
    accounts: Mapping[AccountName, Account]
    bots: BotChoice
    sources: tuple[Path, ...]
    shown: Mapping[str, Any] = field(default_factory=dict)


def load(*, environ: Mapping[str, str] | None = None) -> Settings:
    """Read everything; raises `ConfigError` with every problem at once.

    What is wrong is replaced by what is shipped and read once more, so that one problem hides no
    other.
    """
    env = os.environ if environ is None else environ
    folders = _folders(env)
    found: dict[str, Problem] = {}
    broken: list[Problem] = []
    tables = {name: _merged(folders, f"{name}.toml", broken) for name in _FILES}
    channels = _channel_files(folders, broken)
    for variable, key in _ENVIRONMENT.items():
        if env.get(variable):
            tables["router"][key] = env[variable]
    shipped = {name: _merged(folders[:1], f"{name}.toml", []) for name in _FILES}
    while True:
        problems = list(broken)
        settings = _read(tables, channels, folders, env, problems)
        news = [each for each in problems if str(each) not in found]
        if not news:
            break
        found.update((str(each), each) for each in news)
        tables = _mended(tables, news, shipped)
    if found or settings is None:
        raise ConfigError(tuple(found.values()))
    return settings


def _read(
    tables: Mapping[str, dict[str, Any]],
    channels: Mapping[str, dict[str, Any]],
    folders: tuple[Path, ...],
    env: Mapping[str, str],
    problems: list[Problem],
) -> Settings | None:
    router = read_struct(RouterFile, tables["router"], "router.toml", problems)
    policy = read_policy(tables, router, problems)
    if router is None:
        return None
    data = Path(router.data).expanduser()
    around = Surroundings(env=env, data=data, problems=problems)
    accounts, shown = read_accounts(channels, around, policy)
    bots = read_bots(
        tables["bot"], around, accounts=accounts, queues=policy.queues if policy else ()
    )
    host, port = _listen(router.listen, problems)
    if policy is None:
        return None
    send_within = duration(router.send_within)
    if send_within is None or not send_within:
        what = f"{router.send_within!r} is not a time; write 20s"
        problems.append(Problem(file="router.toml", key="send_within", what=what))
        return None
    database = router.database_url or f"sqlite:///{(data / 'mainstem.db').absolute()}"
    return Settings(
        host=host,
        port=port,
        public_url=(router.public_url or f"http://{host}:{port}").rstrip("/"),
        database_url=database,
        data=data,
        mqtt_url=router.mqtt_url,
        log_level=router.log_level,
        private_media=router.private_media,
        send_attempts=router.send_attempts,
        send_within=send_within,
        media=Path(router.media).expanduser() if router.media else data / "media",
        intake_batch=router.intake_batch,
        intake_line=router.intake_line,
        readers=router.readers,
        demo_members=tuple(router.demo_members),
        policy=policy,
        accounts=accounts,
        bots=bots,
        sources=folders,
        shown={"router": dict(tables["router"]), "channels": shown},
    )


def _mended(
    tables: Mapping[str, dict[str, Any]],
    problems: list[Problem],
    shipped: Mapping[str, dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return the tables with what is wrong replaced by what is shipped, or left out."""
    mended = {name: dict(table) for name, table in tables.items()}
    for problem in problems:
        name, top = problem.file.removesuffix(".toml"), problem.key.partition(".")[0]
        if name not in mended or not top:
            continue
        if top in shipped[name]:
            mended[name][top] = shipped[name][top]
        elif name == "queues":  # others may name this queue: it stays, as another one
            mended[name][top] = next(iter(shipped[name].values()))
        else:
            mended[name].pop(top, None)
    return mended


def _folders(env: Mapping[str, str]) -> tuple[Path, ...]:
    shipped = resource("config")
    named = env.get("MAINSTEM_CONFIG")
    if named:
        folder = Path(named).expanduser()
        if not folder.is_dir():
            raise ConfigError(
                (Problem(file="MAINSTEM_CONFIG", key="", what=f"{folder} is not a folder"),)
            )
        return (shipped, folder)
    local = shipped / "local"
    return (shipped, local) if local.is_dir() else (shipped,)


def _merged(folders: tuple[Path, ...], name: str, problems: list[Problem]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for folder in folders:
        path = folder / name
        if path.is_file():
            _overlay(merged, _toml(path, problems))
    return merged


def _channel_files(folders: tuple[Path, ...], problems: list[Problem]) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = {}
    for folder in folders:
        for path in sorted((folder / "channels").glob("*.toml")):
            _overlay(files.setdefault(path.name, {}), _toml(path, problems))
    return files


def _toml(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(file=str(path), key="", what=f"is not valid TOML: {error}"))
        return {}


def _overlay(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        held = below.get(key)
        replaces = is_pointer(value) or is_pointer(held)
        if isinstance(value, dict) and isinstance(held, dict) and not replaces:
            _overlay(held, value)
        else:
            below[key] = value


def _listen(listen: str, problems: list[Problem]) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004  the last port
        problems.append(
            Problem(file="router.toml", key="listen", what=f"{listen!r} is not host:port")
        )
        return "127.0.0.1", 8080
    return host, int(port)
