"""The shop's policy from the configuration files: queues, skills, clocks, constants."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from router.channel.contract import Family
from router.domain.case import CaseClock
from router.domain.coach import CoachPolicy, Level, Rule
from router.domain.hours import AROUND_THE_CLOCK, Hours
from router.domain.ids import ChannelName, QueueName, Skill
from router.domain.plan import CountsFrom, Step, problem_of
from router.domain.policy import (
    BotPolicy,
    KnowledgePolicy,
    PricePolicy,
    QueuePolicy,
    RoutingPolicy,
    ShopPolicy,
    WorkPolicy,
)
from router.domain.reading import Intent
from router.domain.workforce import LEVELS, Need, Presence
from router.settings.calendar import queue_hours, read_hours
from router.settings.crisis import read_crisis
from router.settings.files import (
    BotFile,
    CaseFile,
    CoachFile,
    CrisisFile,
    HoursFile,
    KnowledgeFile,
    NeedFile,
    PriceFile,
    Problem,
    QueueFile,
    RouterFile,
    RoutingFile,
    SkillsFile,
    StepFile,
    duration,
    read_struct,
    read_table,
)

#: How much a missing level of a preferred skill may count at most, against 1 for a need.
MOST_WEIGHT = 10.0


def read_policy(
    tables: Mapping[str, dict[str, Any]], router: RouterFile | None, problems: list[Problem]
) -> ShopPolicy | None:
    queues = read_table(QueueFile, tables["queues"], "queues.toml", problems)
    skills = read_struct(SkillsFile, tables["skills"], "skills.toml", problems)
    routing = read_struct(RoutingFile, tables["routing"], "routing.toml", problems)
    cases = read_struct(CaseFile, tables["cases"], "cases.toml", problems)
    crisis = read_struct(CrisisFile, tables["crisis"], "crisis.toml", problems)
    coach = read_struct(CoachFile, tables["coach"], "coach.toml", problems)
    bot = read_struct(BotFile, tables["bot"], "bot.toml", problems)
    writing = read_struct(KnowledgeFile, tables["knowledge"], "knowledge.toml", problems)
    times = read_struct(HoursFile, tables["hours"], "hours.toml", problems)
    if (
        router is None
        or skills is None
        or routing is None
        or cases is None
        or crisis is None
        or bot is None
        or coach is None
        or times is None
        or writing is None
    ):
        return None
    hours = read_hours(times, problems)
    reads = _PolicyReader(skills, hours, problems)
    lines = {QueueName(name): reads.queue(QueueName(name), queue) for name, queue in queues.items()}
    declared = frozenset(QueueName(name) for name in tables["queues"])
    for name, line in lines.items():
        if line.overflow_to is not None and line.overflow_to not in declared:
            reads.problem("queues.toml", f"{name}.overflow.to", f"{line.overflow_to} is no queue")
    for file, key, queue in (
        ("router.toml", "default_queue", router.default_queue),
        ("cases.toml", "queue", cases.queue),
    ):
        if queue not in declared:
            reads.problem(file, key, f"{queue!r} is not one of {', '.join(sorted(declared))}")
    if declared != lines.keys():
        return None  # read again without what is wrong
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
        topic_queues=reads.topic_queues(declared),
        complaint_needs=reads.by_severity(
            {
                key: reads.needs(needs, "cases.toml", f"needs.{key}")
                for key, needs in cases.needs.items()
            },
            "needs",
            frozenset(),
        ),
        clocks=reads.by_severity(
            {
                key: reads.clock(
                    key,
                    within,
                    AROUND_THE_CLOCK
                    if key.isdigit() and int(key) in cases.around_the_clock
                    else hours,
                )
                for key, within in cases.act_within.items()
            },
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
            most_asks_back=bot.most_asks_back,
        ),
        skills=skills.titles,
        shop=router.shop,
        crisis=read_crisis(crisis, problems),
        knowledge=KnowledgePolicy(
            four_eyes=writing.four_eyes,
            questions_kept=reads.time("knowledge.toml", "questions_kept", writing.questions_kept),
            ask_rating=writing.ask_rating,
        ),
        coach=CoachPolicy(levels={rule: Level(getattr(coach, rule.value)) for rule in Rule}),
        raw_kept=reads.time("router.toml", "raw_kept", router.raw_kept),
        hours=hours,
    )


class _PolicyReader:
    """Turns what the files say into the domain's values, noting every problem."""

    def __init__(self, skills: SkillsFile, hours: Hours, problems: list[Problem]) -> None:
        self._hours = hours
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
            plan=self.plan(name, queue.plan),
            hours=queue_hours(queue.hours, self._hours, self._problems, queue=name),
            closed=queue.closed,
        )

    def plan(self, name: QueueName, steps: list[StepFile]) -> tuple[Step, ...]:
        """Return a queue's plan; what cannot end with a person is a problem."""
        read = tuple(self._step(f"{name}.plan.{at}", each) for at, each in enumerate(steps, 1))
        wrong = problem_of(read)
        if wrong is not None:
            self.problem("queues.toml", f"{name}.plan", wrong)
        return read

    def _step(self, key: str, step: StepFile) -> Step:
        file = "queues.toml"
        required = self.needs(dict(step.needs), file, f"{key}.needs")
        plain = {
            skill: wish if isinstance(wish, int) else wish.least
            for skill, wish in step.prefers.items()
        }
        weights = {
            skill: 1.0 if isinstance(wish, int) else wish.weight
            for skill, wish in step.prefers.items()
        }
        for skill, weight in weights.items():
            if not 0 < weight <= MOST_WEIGHT:
                what = f"{weight:g} is not more than 0 and at most {MOST_WEIGHT:g}"
                self.problem(file, f"{key}.prefers.{skill}.weight", what)
        if step.counts_from not in set(CountsFrom):
            what = f"{step.counts_from!r} is not one of {', '.join(CountsFrom)}"
            self.problem(file, f"{key}.counts_from", what)
            return Step()
        return Step(
            required=frozenset(replace(need, hard=True) for need in required),
            preferred=frozenset(
                replace(need, weight=weights[need.skill])
                for need in self.needs(plain, file, f"{key}.prefers")
            ),
            groups=frozenset(step.groups),
            previous=step.previous,
            lasts=self.time(file, f"{key}.lasts", step.lasts) if step.lasts else None,
            counts_from=CountsFrom(step.counts_from),
        )

    def by_severity(self, given: Mapping[str, Any], key: str, default: Any) -> dict[int, Any]:
        for name in given:
            if name not in {"1", "2", "3"}:
                self.problem("cases.toml", f"{key}.{name}", "is not a severity: 1, 2 or 3")
        for severity in ("1", "2", "3"):
            if severity not in given:
                self.problem("cases.toml", f"{key}.{severity}", "is missing")
        return {severity: given.get(str(severity), default) for severity in (1, 2, 3)}

    def clock(self, key: str, times: list[str], hours: Hours) -> CaseClock:
        if len(times) != 3:  # noqa: PLR2004  agent, supervisor, manager
            self.problem(
                "cases.toml", f"act_within.{key}", "needs three: agent, supervisor, manager"
            )
            times = [*times, "1h", "1h", "1h"][:3]
        read = [self.time("cases.toml", f"act_within.{key}", text) for text in times]
        return CaseClock(act_within=(read[0], read[1], read[2]), hours=hours)

    def routing(self, file: RoutingFile) -> RoutingPolicy:
        name = "routing.toml"
        for family in Family:
            if family not in file.family_weight:
                self.problem(name, f"family_weight.{family}", "is missing")
            if family not in file.patience:
                self.problem(name, f"patience.{family}", "is missing")
        for given, weight in file.family_weight.items():
            if not 0 < weight <= 1:
                self.problem(name, f"family_weight.{given}", f"{weight} is not between 0 and 1")
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
            answer_within={
                ChannelName(channel): self.time(name, f"answer_within.{channel}", text)
                for channel, text in file.answer_within.items()
            },
            alarm_before=self.time(name, "alarm_before", file.alarm_before),
            approve_presence=frozenset(map(Presence, file.approve_presence)),
            misfit=file.misfit,
            tie=file.tie,
            overdue_factor=file.overdue_factor,
            overdue_least=self.time(name, "overdue_least", file.overdue_least),
            family_value=dict(file.value),
            reach=file.reach,
            bar=file.bar,
            pressure=file.pressure,
            ageing=file.ageing,
            deadline=file.deadline,
            promise=file.promise,
            promise_within=self.time(name, "promise_within", file.promise_within),
            load=file.load,
            flexible=file.flexible,
            rest=file.rest,
            fairness=file.fairness,
            price=self._price(file.price),
            work=WorkPolicy(
                mean={
                    family: self.time(name, f"work.mean.{family}", text)
                    for family, text in file.work.mean.items()
                },
                usual=self.time(name, "work.usual", file.work.usual),
                slowdown=file.work.slowdown,
                worth=file.work.worth,
            ),
        )

    def _price(self, file: PriceFile) -> PricePolicy:
        return PricePolicy(
            factor=file.factor,
            horizon=self.time("routing.toml", "price.horizon", file.horizon),
            holders=file.holders,
            shortest=file.shortest,
            longest=file.longest,
            exclusive=file.exclusive,
            worth=file.worth,
            power=file.power,
            least=file.least,
            crossing=file.crossing,
            draining=file.draining,
            spared=file.spared,
        )
