"""The shape of each configuration file, and reading it with every problem named at once."""

import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

S = TypeVar("S", bound=msgspec.Struct)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in the configuration."""

    file: str
    key: str
    what: str

    def __str__(self) -> str:
        """Return it as one line: file, key, what to mend."""
        return f"{self.file}: {self.key}: {self.what}" if self.key else f"{self.file}: {self.what}"


def duration(text: str) -> timedelta | None:
    """Return the time that ``text`` says (``20s``, ``1h30m``, ``7d``), or None if it says none."""
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", text):
        return None
    return timedelta(
        seconds=sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
    )


class File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A configuration file or a table in one."""


class NeedFile(File):
    """A skill that is wanted; ``hard`` ones are never let go."""

    least: int
    hard: bool = False


class MemberFile(File):
    """An invented member of the demo shop."""

    id: str
    name: str
    phone: str = ""


class RouterFile(File):
    """router.toml: the daemon itself."""

    listen: str
    default_queue: str
    shop: dict[str, str]
    public_url: str = ""
    database_url: str = ""
    data: str = "var"
    media: str = ""
    mqtt_url: str = ""
    log_level: typing.Literal["debug", "info", "warning", "error"] = "info"
    raw_kept: str = "7d"
    private_media: bool = False
    send_attempts: int = 12
    send_within: str = "20s"
    intake_batch: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 256
    intake_line: Annotated[int, msgspec.Meta(ge=1, le=65536)] = 4096
    readers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 1
    demo_members: list[MemberFile] = []


class ServiceLevel(File):
    """A target: this share answered within this time."""

    within: str
    share: float


class OverflowFile(File):
    """After how long a waiting conversation goes to another queue."""

    after: str
    to: str


class PreferenceFile(File):
    """A level that is wished for, and how much each level that is missing counts."""

    least: int
    weight: float = 1.0


class StepFile(File):
    """One step of a queue's plan: who may be offered a conversation, and for how long."""

    needs: dict[str, int] = {}
    prefers: dict[str, int | PreferenceFile] = {}
    groups: list[str] = []
    previous: bool = False
    lasts: str = ""
    counts_from: str = "step"


class HoursFile(File):
    """hours.toml, or the hours of one queue. Spans are written ``09:00-18:00``."""

    zone: str
    week: dict[str, list[str]] = {}
    days: dict[str, list[str]] = {}


class QueueFile(File):
    """One queue of queues.toml."""

    title: dict[str, str]
    service_level: ServiceLevel
    needs: dict[str, int | NeedFile] = {}
    overflow: OverflowFile | None = None
    plan: list[StepFile] = []
    hours: str | HoursFile = ""
    closed: dict[str, str] = {}


class SkillsFile(File):
    """skills.toml: what skills there are, and which topic needs which."""

    titles: dict[str, dict[str, str]]
    topics: dict[str, dict[str, int | NeedFile]]
    queues: dict[str, str] = {}


class WeightFile(File):
    """How much a second of waiting weighs."""

    normal: float
    vip: float
    complaint: float
    upset: float


_Factor = typing.Annotated[float, msgspec.Meta(ge=0, le=100)]


class PriceFile(File):
    """What a slot that scarcer demand may need soon is worth."""

    factor: _Factor
    horizon: str
    holders: typing.Annotated[float, msgspec.Meta(ge=1, le=1000)]
    shortest: _Factor
    longest: _Factor
    exclusive: _Factor
    worth: _Factor
    power: typing.Annotated[float, msgspec.Meta(ge=0, le=3)]
    least: _Factor
    crossing: _Factor
    draining: _Factor
    spared: typing.Annotated[float, msgspec.Meta(ge=0, le=1)]


class WorkFile(File):
    """How long conversations take, and how much work side by side slows an agent."""

    usual: str
    slowdown: typing.Annotated[float, msgspec.Meta(ge=0, le=1)]
    worth: _Factor
    mean: dict[str, str] = {}


class RoutingFile(File):
    """routing.toml: the constants of the score."""

    version: str
    family_weight: dict[str, float]
    patience: dict[str, str]
    weight: WeightFile
    offer_lasts: str
    wrap_up_lasts: str
    idle_after: str
    tau: str
    complaint_within: str
    alarm_before: str
    overdue_least: str
    lapses_until_away: typing.Annotated[int, msgspec.Meta(ge=1, le=20)]
    priority_step: typing.Annotated[float, msgspec.Meta(ge=1, le=10)]
    misfit: typing.Annotated[float, msgspec.Meta(ge=0, le=20)]
    tie: typing.Annotated[float, msgspec.Meta(ge=0, le=20)]
    overdue_factor: typing.Annotated[float, msgspec.Meta(ge=1, le=100)]
    reach: typing.Annotated[int, msgspec.Meta(ge=0, le=4)]
    bar: _Factor
    pressure: _Factor
    ageing: _Factor
    deadline: _Factor
    promise: _Factor
    promise_within: str
    load: _Factor
    flexible: _Factor
    rest: _Factor
    fairness: _Factor
    price: PriceFile
    work: WorkFile
    value: dict[str, float] = {}
    answer_within: dict[str, str] = {}
    approve_presence: list[typing.Literal["busy", "away", "offline"]] = []


class CaseFile(File):
    """cases.toml: clocks and needs of complaints by severity 1, 2, 3."""

    queue: str
    reopen_within: str
    around_the_clock: list[int]
    act_within: dict[str, list[str]]
    needs: dict[str, dict[str, int | NeedFile]]


class ProductFile(File):
    """A product, and the words by which customers name it."""

    title: dict[str, str]
    words: list[str]


class CrisisFile(File):
    """crisis.toml: when many complaints about one subject are a crisis."""

    window: str
    baseline: str
    least: typing.Annotated[int, msgspec.Meta(ge=2, le=1000)]
    chance: typing.Annotated[float, msgspec.Meta(gt=0, le=0.05)]
    products: dict[str, ProductFile] = {}


class OutsideBotFile(File):
    """A bot outside: a model, a Rasa assistant, or a service of the shop's own."""

    kind: typing.Literal["model", "rasa", "webhook"]
    url: str
    secret: str | dict[str, str] = ""
    time_limit: str = "8s"
    fallback: bool | None = None
    any_question: bool | None = None
    model: str = ""
    structured: typing.Literal["json_schema", "json_object", "none"] = "json_schema"
    articles: typing.Annotated[int, msgspec.Meta(ge=1, le=20)] = 5
    answer_tokens: typing.Annotated[int, msgspec.Meta(ge=16, le=8192)] = 400
    conversation_tokens: typing.Annotated[int, msgspec.Meta(ge=0)] = 40_000
    day_tokens: typing.Annotated[int, msgspec.Meta(ge=0)] = 2_000_000


class BotFile(File):
    """bot.toml: when the bot may answer, its name, and which bot answers where."""

    first: bool
    answer_at: typing.Annotated[float, msgspec.Meta(ge=0, le=1)]
    ask_at: typing.Annotated[float, msgspec.Meta(ge=0, le=1)]
    most_turns: typing.Annotated[int, msgspec.Meta(ge=1, le=50)]
    name: dict[str, str]
    most_asks_back: typing.Annotated[int, msgspec.Meta(ge=1, le=10)] = 2
    use: str = "built_in"
    accounts: dict[str, str] = {}
    queues: dict[str, str] = {}
    handover: str = ""
    bots: dict[str, OutsideBotFile] = {}


class KnowledgeFile(File):
    """knowledge.toml: how articles and scripts come about."""

    four_eyes: bool
    questions_kept: str
    ask_rating: typing.Literal["never", "trials", "always"]


_Level = typing.Literal["off", "hint", "block"]


class CoachFile(File):
    """coach.toml: what is made of each rule of the reply coach."""

    repeats: _Level = "hint"
    only_received: _Level = "hint"
    argues_first: _Level = "hint"
    soothes: _Level = "hint"
    stock_phrase: _Level = "hint"
    no_time: _Level = "hint"
    discontinued: _Level = "hint"
    contradicts: _Level = "hint"
    private_number: _Level = "hint"


class ChannelFile(File):
    """channels/NAME.toml: one account."""

    channel: str
    account: typing.Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    queue: str
    enabled: bool = True
    path_secret: str | dict[str, str] = ""
    settings: dict[str, Any] = {}


def read_table(
    entry: type[S], table: Mapping[str, Any], file: str, problems: list[Problem]
) -> dict[str, S]:
    """Read a file whose every top-level table is one ``entry``."""
    found = {}
    for name, value in table.items():
        read = read_struct(entry, value, file, problems, at=name)
        if read is not None:
            found[name] = read
    return found


def read_struct(
    struct: type[S], table: Any, file: str, problems: list[Problem], *, at: str = ""
) -> S | None:
    """Read one table, key by key, so that each problem is named; None if there was any."""
    if not isinstance(table, Mapping):
        problems.append(Problem(file=file, key=at, what="must be a table"))
        return None
    before = len(problems)
    hints = typing.get_type_hints(struct, include_extras=True)
    fields = {each.name: each for each in msgspec.structs.fields(struct)}
    prefix = f"{at}." if at else ""
    for key in table:
        if key not in fields:
            known = ", ".join(fields)
            problems.append(
                Problem(file=file, key=f"{prefix}{key}", what=f"is not known; known are {known}")
            )
    values: dict[str, Any] = {}
    for name, each in fields.items():
        if name not in table:
            if each.required:
                problems.append(Problem(file=file, key=f"{prefix}{name}", what="is missing"))
            continue
        values[name] = _value(hints[name], table[name], file, f"{prefix}{name}", problems)
    return struct(**values) if len(problems) == before else None


def _value(kind: Any, value: Any, file: str, key: str, problems: list[Problem]) -> Any:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return read_struct(kind, value, file, problems, at=key)
    arguments = get_args(kind)
    if get_origin(kind) is dict and isinstance(value, Mapping) and arguments[0] is str:
        return {
            name: _value(arguments[1], inner, file, f"{key}.{name}", problems)
            for name, inner in value.items()
        }
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problems.append(Problem(file=file, key=key, what=str(error)))
        return None
