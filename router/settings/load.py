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
from pathlib import Path
from typing import Any

from router.channel.accounts import Account
from router.domain.ids import AccountName
from router.domain.policy import ShopPolicy
from router.resources import resource
from router.settings.accounts import Surroundings, is_pointer, read_accounts
from router.settings.files import MemberFile, Problem, RouterFile, read_struct
from router.settings.shop import read_policy

_FILES = ("router", "queues", "skills", "routing", "cases", "bot", "hours")
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
    demo_members: tuple[MemberFile, ...]
    policy: ShopPolicy
    accounts: Mapping[AccountName, Account]
    sources: tuple[Path, ...]
    shown: Mapping[str, Any] = field(default_factory=dict)


def load(*, environ: Mapping[str, str] | None = None, extra: tuple[Path, ...] = ()) -> Settings:
    """Read everything; raises `ConfigError` with every problem at once."""
    env = os.environ if environ is None else environ
    folders = (*_folders(env), *extra)
    problems: list[Problem] = []
    tables = {name: _merged(folders, f"{name}.toml", problems) for name in _FILES}
    for variable, key in _ENVIRONMENT.items():
        if env.get(variable):
            tables["router"][key] = env[variable]
    router = read_struct(RouterFile, tables["router"], "router.toml", problems)
    data = Path(router.data if router else "var").expanduser()
    policy = read_policy(tables, router, problems)
    around = Surroundings(env=env, data=data, problems=problems)
    accounts, shown = read_accounts(_channel_files(folders, problems), around, policy)
    host, port = _listen(router.listen if router else "127.0.0.1:8080", problems)
    if problems or router is None or policy is None:
        raise ConfigError(tuple(problems))
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
        demo_members=tuple(router.demo_members),
        policy=policy,
        accounts=accounts,
        sources=folders,
        shown={"router": dict(tables["router"]), "channels": shown},
    )


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
