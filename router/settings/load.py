"""The configuration: read, checked all at once, and handed out as values.

Shipped defaults, then the folder named by ``MAINSTEM_CONFIG`` (``config/local`` of a checkout if it
is there), then environment variables. A secret is never written down but pointed at: ``{ env =
"NAME" }``, or ``{ generate = "name" }`` for one that is made on first use and kept in the data
folder.
"""

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from router.channel.accounts import Account, BadSettings, open_account
from router.channel.contract import Channel, Family
from router.channel.registry import channels
from router.domain.case import CaseClock
from router.domain.ids import AccountName, QueueName, Skill
from router.domain.policy import BotPolicy, QueuePolicy, RoutingPolicy, ShopPolicy
from router.domain.reading import Intent
from router.domain.workforce import LEVELS, Need
from router.resources import resource
from router.settings.files import (
    BotFile,
    CaseFile,
    ChannelFile,
    NeedFile,
    Problem,
    QueueFile,
    RouterFile,
    RoutingFile,
    SkillsFile,
    duration,
    read_struct,
    read_table,
)

_FILES = ("router", "queues", "skills", "routing", "cases", "bot")
_ENVIRONMENT = {
    "MAINSTEM_LISTEN": "listen",
    "MAINSTEM_PUBLIC_URL": "public_url",
    "MAINSTEM_DATABASE_URL": "database_url",
    "MAINSTEM_DATA": "data",
    "MAINSTEM_MQTT_URL": "mqtt_url",
    "MAINSTEM_LOG_LEVEL": "log_level",
}
_SHORTEST_GENERATED = 32


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
    policy = _policy(tables, router, problems)
    accounts, shown = _accounts(folders, env, data, policy, problems)
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


def _toml(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(file=str(path), key="", what=f"is not valid TOML: {error}"))
        return {}


def _overlay(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _overlay(below[key], value)
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


# ----- the shop's policy -----------------------------------------------------------------------------


def _policy(
    tables: Mapping[str, dict[str, Any]], router: RouterFile | None, problems: list[Problem]
) -> ShopPolicy | None:
    queues = read_table(QueueFile, tables["queues"], "queues.toml", problems)
    skills = read_struct(SkillsFile, tables["skills"], "skills.toml", problems)
    routing = read_struct(RoutingFile, tables["routing"], "routing.toml", problems)
    cases = read_struct(CaseFile, tables["cases"], "cases.toml", problems)
    bot = read_struct(BotFile, tables["bot"], "bot.toml", problems)
    if router is None or skills is None or routing is None or cases is None or bot is None:
        return None
    reads = _PolicyReader(skills, problems)
    lines = {QueueName(name): reads.queue(QueueName(name), queue) for name, queue in queues.items()}
    for name, line in lines.items():
        if line.overflow_to is not None and line.overflow_to not in lines:
            reads.problem("queues.toml", f"{name}.overflow.to", f"{line.overflow_to} is no queue")
    for file, key, queue in (
        ("router.toml", "default_queue", router.default_queue),
        ("cases.toml", "queue", cases.queue),
    ):
        if queue not in lines:
            reads.problem(file, key, f"{queue!r} is not one of {', '.join(sorted(lines))}")
    return ShopPolicy(
        version=routing.version,
        queues=lines,
        default_queue=QueueName(router.default_queue),
        case_queue=QueueName(cases.queue),
        topics={
            Intent(name): reads.needs(needs, "skills.toml", f"topics.{name}")
            for name, needs in skills.topics.items()
            if reads.known_intent(name)
        },
        topic_queues=reads.topic_queues(frozenset(lines)),
        complaint_needs=reads.by_severity(
            {
                key: reads.needs(needs, "cases.toml", f"needs.{key}")
                for key, needs in cases.needs.items()
            },
            "needs",
            frozenset(),
        ),
        clocks=reads.by_severity(
            {key: reads.clock(key, times) for key, times in cases.act_within.items()},
            "act_within",
            CaseClock(act_within=(timedelta(hours=2), timedelta(hours=4), timedelta(days=1))),
        ),
        reopen_within=reads.time("cases.toml", "reopen_within", cases.reopen_within),
        routing=reads.routing(routing),
        bot=BotPolicy(
            first=bot.first,
            answer_at=bot.answer_at,
            ask_at=bot.ask_at,
            most_turns=bot.most_turns,
            name=bot.name,
        ),
        skills=skills.titles,
        shop=router.shop,
        raw_kept=reads.time("router.toml", "raw_kept", router.raw_kept),
    )


class _PolicyReader:
    """Turns what the files say into the domain's values, noting every problem."""

    def __init__(self, skills: SkillsFile, problems: list[Problem]) -> None:
        self._skills, self._problems = skills, problems

    def problem(self, file: str, key: str, what: str) -> None:
        self._problems.append(Problem(file=file, key=key, what=what))

    def time(self, file: str, key: str, text: str) -> timedelta:
        found = duration(text)
        if found is None:
            self.problem(file, key, f"{text!r} is not a duration; write 20s, 3m, 2h or 7d")
            return timedelta(0)
        return found

    def needs(self, wanted: Mapping[str, int | NeedFile], file: str, key: str) -> frozenset[Need]:
        needs = []
        for skill, value in wanted.items():
            least = value if isinstance(value, int) else value.least
            hard = False if isinstance(value, int) else value.hard
            if skill not in self._skills.titles:
                self.problem(file, f"{key}.{skill}", "is not a skill of skills.toml")
            if least not in LEVELS:
                self.problem(file, f"{key}.{skill}", f"{least} is not a proficiency from 1 to 5")
            needs.append(Need(skill=Skill(skill), least=least, hard=hard))
        return frozenset(needs)

    def known_intent(self, name: str) -> bool:
        if name in set(Intent):
            return True
        self.problem("skills.toml", f"topics.{name}", f"is not one of {', '.join(Intent)}")
        return False

    def topic_queues(self, lines: frozenset[QueueName]) -> dict[Intent, QueueName]:
        found = {}
        for name, queue in self._skills.queues.items():
            if queue not in lines:
                self.problem("skills.toml", f"queues.{name}", f"{queue!r} is no queue")
            if self.known_intent(name):
                found[Intent(name)] = QueueName(queue)
        return found

    def queue(self, name: QueueName, queue: QueueFile) -> QueuePolicy:
        file = "queues.toml"
        share = queue.service_level.share
        if not 0 < share <= 1:
            self.problem(file, f"{name}.service_level.share", f"{share} is not between 0 and 1")
        over = queue.overflow
        return QueuePolicy(
            name=name,
            title=queue.title,
            needs=self.needs(queue.needs, file, f"{name}.needs"),
            answer_within=self.time(
                file, f"{name}.service_level.within", queue.service_level.within
            ),
            share=share,
            overflow_after=self.time(file, f"{name}.overflow.after", over.after) if over else None,
            overflow_to=QueueName(over.to) if over else None,
        )

    def by_severity(self, given: Mapping[str, Any], key: str, default: Any) -> dict[int, Any]:
        for name in given:
            if name not in {"1", "2", "3"}:
                self.problem("cases.toml", f"{key}.{name}", "is not a severity: 1, 2 or 3")
        for severity in ("1", "2", "3"):
            if severity not in given:
                self.problem("cases.toml", f"{key}.{severity}", "is missing")
        return {severity: given.get(str(severity), default) for severity in (1, 2, 3)}

    def clock(self, key: str, times: list[str]) -> CaseClock:
        if len(times) != 3:  # noqa: PLR2004  agent, supervisor, manager
            self.problem(
                "cases.toml", f"act_within.{key}", "needs three: agent, supervisor, manager"
            )
            times = [*times, "1h", "1h", "1h"][:3]
        read = [self.time("cases.toml", f"act_within.{key}", text) for text in times]
        return CaseClock(act_within=(read[0], read[1], read[2]))

    def routing(self, file: RoutingFile) -> RoutingPolicy:
        name = "routing.toml"
        for family in Family:
            if family not in file.family_weight:
                self.problem(name, f"family_weight.{family}", "is missing")
            if family not in file.patience:
                self.problem(name, f"patience.{family}", "is missing")
        for family, weight in file.family_weight.items():
            if not 0 < weight <= 1:
                self.problem(name, f"family_weight.{family}", f"{weight} is not between 0 and 1")
        return RoutingPolicy(
            version=file.version,
            family_weight=dict(file.family_weight),
            offer_lasts=self.time(name, "offer_lasts", file.offer_lasts),
            lapses_until_away=file.lapses_until_away,
            wrap_up_lasts=self.time(name, "wrap_up_lasts", file.wrap_up_lasts),
            idle_after=self.time(name, "idle_after", file.idle_after),
            tau=self.time(name, "tau", file.tau),
            patience={
                family: self.time(name, f"patience.{family}", text)
                for family, text in file.patience.items()
            },
            weight_normal=file.weight.normal,
            weight_vip=file.weight.vip,
            weight_complaint=file.weight.complaint,
            weight_upset=file.weight.upset,
            priority_step=file.priority_step,
            complaint_within=self.time(name, "complaint_within", file.complaint_within),
            misfit=file.misfit,
            tie=file.tie,
            overdue_factor=file.overdue_factor,
            overdue_least=self.time(name, "overdue_least", file.overdue_least),
        )


# ----- accounts --------------------------------------------------------------------------------------


def _accounts(
    folders: tuple[Path, ...],
    env: Mapping[str, str],
    data: Path,
    policy: ShopPolicy | None,
    problems: list[Problem],
) -> tuple[dict[AccountName, Account], dict[str, Any]]:
    known = channels()
    found: dict[AccountName, Account] = {}
    shown: dict[str, Any] = {}
    files: dict[str, dict[str, Any]] = {}
    for folder in folders:
        for path in sorted((folder / "channels").glob("*.toml")):
            _overlay(files.setdefault(path.name, {}), _toml(path, problems))
    for name, table in files.items():
        where = f"channels/{name}"
        file = read_struct(ChannelFile, table, where, problems)
        if file is None or not file.enabled:
            continue
        channel = known.get(file.channel)
        if channel is None:
            what = f"{file.channel!r} is not one of {', '.join(sorted(known))}"
            problems.append(Problem(file=where, key="channel", what=what))
            continue
        if policy is not None and file.queue not in policy.queues:
            problems.append(Problem(file=where, key="queue", what=f"{file.queue!r} is no queue"))
        if AccountName(file.account) in found:
            what = f"{file.account!r} is used by another file"
            problems.append(Problem(file=where, key="account", what=what))
        account = _account(channel, file, where, env, data, problems)
        if account is not None:
            found[account.name] = account
            shown[file.account] = {
                key: "••••••" if key in channel.secrets or isinstance(value, dict) else value
                for key, value in file.settings.items()
            }
    return found, shown


def _account(
    channel: Channel,
    file: ChannelFile,
    where: str,
    env: Mapping[str, str],
    data: Path,
    problems: list[Problem],
) -> Account | None:
    settings = {
        key: _resolved(value, env, data, where, f"settings.{key}", problems)
        for key, value in file.settings.items()
    }
    secret = _resolved(file.path_secret, env, data, where, "path_secret", problems)
    try:
        return open_account(
            channel,
            name=AccountName(file.account),
            queue=QueueName(file.queue),
            settings=settings,
            path_secret=str(secret or ""),
        )
    except BadSettings as error:
        problems.extend(
            Problem(file=where, key="settings", what=problem) for problem in error.problems
        )
        return None


def _resolved(
    value: Any,
    env: Mapping[str, str],
    data: Path,
    where: str,
    key: str,
    problems: list[Problem],
) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"env"}:
        found = env.get(str(value["env"]))
        if found is None:
            what = f"environment variable {value['env']} is not set"
            problems.append(Problem(file=where, key=key, what=what))
            return ""
        return found
    if set(value) == {"generate"}:
        return generated(data, str(value["generate"]))
    return {
        each: _resolved(inner, env, data, where, f"{key}.{each}", problems)
        for each, inner in value.items()
    }


def generated(data: Path, name: str) -> str:
    """Return the secret ``name``; made on first use, kept in the data folder, mode 600."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(
            (Problem(file="", key=name, what="a generated secret's name has letters and dashes"),)
        )
    folder = data / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(_SHORTEST_GENERATED))
    except FileExistsError:
        pass
    return path.read_text("utf-8").strip()
