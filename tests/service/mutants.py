"""Mutations that each take one check of the guarantees out, and the command that runs them.

``python -m tests.service.mutants`` runs for each the test that is named with it and says whether it
was caught; ``--machine`` lets the random days of test_guarantee.py find them instead; names as
arguments choose some. It exits with 1 if one is not caught.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MACHINE = "tests/service/test_guarantee.py::test_the_guarantees_hold_after_every_step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A check taken out of ``module``: ``old``, which stands there once, becomes ``new``.

    ``caught_by`` is the test that must fail then, as pytest names it.
    """

    name: str
    module: str
    old: str
    new: str
    caught_by: str

    @property
    def path(self) -> Path:
        """Return the module's file."""
        return ROOT / (self.module.replace(".", "/") + ".py")

    def applied(self, source: str) -> str:
        """Return the source without the check; raises ValueError if it is not there just once."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.old!r} stands {source.count(self.old)} times")
        return source.replace(self.old, self.new)


def _of(module: str, *mutants: tuple[str, str, str, str]) -> tuple[Mutant, ...]:
    return tuple(
        Mutant(name=name, module=module, old=old, new=new, caught_by=caught_by)
        for name, old, new, caught_by in mutants
    )


_NEVER = "if False:"
_CARRY = "tests/service/test_carry.py"
_STORY = "tests/service/test_story.py"
_LEDGER = "tests/service/test_ledger.py"
_HELD = "tests/service/test_held_back.py"
_SUSPECT = "tests/service/test_suspect.py"
_FOLLOWUP = "tests/service/test_followup.py"

MUTANTS: tuple[Mutant, ...] = (
    # ----- G1: nobody is handed a conversation in ignorance
    *_of(
        "router.service.carry",
        (
            "g1-case-version",
            "if unit.contacts.case_version(held.contact) != case_version:",
            _NEVER,
            f"{_CARRY}::test_an_offer_decided_before_a_complaint_on_another_channel_is_refused",
        ),
        (
            "g1-unread",
            "if unit.conversations.unread_of(members):",
            _NEVER,
            f"{_CARRY}::test_an_offer_is_refused_while_something_of_the_person_is_unread",
        ),
        (
            "g1-lease",
            "if lease is None or lease.fence != fence:",
            _NEVER,
            f"{_CARRY}::test_a_daemon_that_lost_the_lease_routes_no_more",
        ),
        (
            "g1-capacity",
            "if load_of(unit, agent.id, weights) + weight > agent.capacity + EPSILON:",
            _NEVER,
            f"{_CARRY}::test_an_agent_who_was_filled_meanwhile_is_not_filled_again",
        ),
        (
            "g1-presence",
            "if not agent.active or agent.presence is not Presence.AVAILABLE:",
            _NEVER,
            f"{_CARRY}::test_who_went_away_meanwhile_is_offered_nothing",
        ),
        (
            "g1-still-queued",
            "if not isinstance(held.state, Queued):",
            _NEVER,
            f"{_CARRY}::test_an_offer_is_carried_out_once",
        ),
        (
            "g1-offer-keeps-cases",
            "cases = check_aware(unit, held, decision.case_version)\n    agent =",
            "check_aware(unit, held, decision.case_version)\n    cases = ()\n    agent =",
            f"{_CARRY}::test_an_offer_keeps_what_it_knew",
        ),
    ),
    *_of(
        "router.service.identify",
        (
            "g1-merge-renews-versions",
            "unit.contacts.renew_case_versions(concerned)",
            "concerned.clear()",
            f"{_CARRY}::test_an_offer_decided_before_a_merge_is_refused",
        ),
    ),
    *_of(
        "router.service.cases",
        (
            "g1-complaint-bumps",
            "    unit.contacts.bump_case_version(said.contact)\n",
            "",
            f"{_CARRY}::test_an_offer_decided_before_the_same_person_complained_is_refused",
        ),
        (
            "g1-case-by-hand-bumps",
            "    unit.contacts.bump_case_version(contact)\n    reveal",
            "    reveal",
            f"{_CARRY}::test_an_offer_decided_before_a_case_was_written_by_hand_is_refused",
        ),
        (
            "g1-case-change-bumps",
            "    unit.contacts.bump_case_version(case.contact)\n",
            "",
            f"{_CARRY}::test_an_offer_decided_before_a_case_was_reopened_is_refused",
        ),
    ),
    *_of(
        "router.service.probable",
        (
            "g1-proposal-bumps",
            "        for person in (first, second):\n            unit.contacts.bump_case_version",
            "        for person in (first, second):\n            unit.contacts.case_version",
            f"{_CARRY}::test_an_offer_decided_before_a_probable_link_is_refused",
        ),
    ),
    *_of(
        "router.service.desk",
        (
            "g1-by-hand-keeps-cases",
            "            cases=tuple(case.id for case in cases),\n",
            "            cases=(),\n",
            f"{_LEDGER}::test_a_transfer_keeps_what_was_known",
        ),
    ),
    *_of(
        "router.domain.index",
        (
            "g1-unread-is-not-decided-on",
            "        if waiting.unread:\n            return\n",
            "",
            f"{_CARRY}::test_nobody_is_decided_on_while_a_word_is_unread",
        ),
    ),
    # ----- G2: late news reaches the holder
    *_of(
        "router.service.reading",
        (
            "g2-complaint-alerts",
            'alert_holders(unit, said.contact, kind="complaint", at=at, case=complaint.case.id)',
            "pass",
            f"{_LEDGER}::test_a_complaint_elsewhere_alerts_the_holder_and_takes_it_from_the_bot",
        ),
        (
            "g2-complaint-recomputes",
            "            recompute(unit, said.contact, policy=policy, at=at)\n",
            "            pass\n",
            f"{_LEDGER}::test_a_complaint_elsewhere_alerts_the_holder_and_takes_it_from_the_bot",
        ),
    ),
    *_of(
        "router.service.identify",
        (
            "g2-link-reveals",
            "    reveal(unit, record.keep, policy=policy, at=at)\n",
            "",
            f"{_STORY}::test_an_identity_found_in_mid_chat_alerts_the_agent_who_has_it",
        ),
    ),
    *_of(
        "router.service.cases",
        (
            "g2-by-hand-reveals",
            "    reveal(unit, contact, policy=policy, at=at)\n",
            "",
            f"{_LEDGER}::test_a_case_by_hand_is_news_to_the_holder",
        ),
        (
            "g2-reopening-reveals",
            "    reveal(unit, saved.contact, policy=policy, at=at)\n",
            "",
            f"{_LEDGER}::test_a_case_that_is_opened_again_is_news_to_the_holder",
        ),
    ),
    *_of(
        "router.service.awareness",
        (
            "g2-offer-withdrawn",
            "        elif isinstance(held.state, Offered) and cases:\n",
            "        elif isinstance(held.state, Offered) and not members:\n",
            f"{_LEDGER}::test_a_complaint_withdraws_an_offer_and_raises_what_is_needed",
        ),
        (
            "g2-from-bot",
            "        if isinstance(held.state, WithBot) and cases:\n",
            "        if isinstance(held.state, WithBot) and not members:\n",
            f"{_LEDGER}::test_a_complaint_elsewhere_alerts_the_holder_and_takes_it_from_the_bot",
        ),
        (
            "g2-needs-grow",
            "        changed = _with_needs(held, worst, policy) if worst else held\n",
            "        changed = held\n",
            f"{_LEDGER}::test_a_complaint_withdraws_an_offer_and_raises_what_is_needed",
        ),
    ),
    *_of(
        "router.web.live",
        (
            "g2-alert-reaches-the-page",
            '    "alert_raised": ("queues", "desk", "alerts"),\n',
            '    "alert_raised": ("queues", "desk"),\n',
            "tests/web/test_live.py::test_an_alert_is_heard_at_once",
        ),
    ),
    # ----- G3: no orphan
    *_of(
        "router.domain.case",
        (
            "g3-acknowledged-first",
            "    if case.status is CaseStatus.OPEN:\n        raise CaseStillOpen",
            "    if False:\n        raise CaseStillOpen",
            f"{_LEDGER}::test_a_case_ends_only_acknowledged_and_with_a_code",
        ),
        (
            "g3-owner-or-queue",
            "return replace(case, owner=by, queue=None)",
            "return replace(case, owner=by)",
            f"{_LEDGER}::test_a_case_has_an_owner_or_a_queue_and_never_both",
        ),
        (
            "g3-next-level",
            "    level = min(case.level + 1, len(LEVELS) - 1)\n",
            "    level = case.level\n",
            f"{_LEDGER}::test_an_overdue_case_climbs_three_levels_in_business_hours",
        ),
        (
            "g3-new-due-time",
            "case, level=level, due_at=due(clocks, severity=case.severity, level=level, at=at)",
            "case, level=level",
            f"{_LEDGER}::test_an_overdue_case_climbs_three_levels_in_business_hours",
        ),
        (
            "g3-business-hours",
            "    return clock.hours.after(at, clock.act_within[level])\n",
            "    return at + clock.act_within[level]\n",
            f"{_LEDGER}::test_an_overdue_case_climbs_three_levels_in_business_hours",
        ),
        (
            "g3-worse-is-sooner",
            "        due_at = min(due_at, due(clocks, severity=worse, level=case.level, at=at))\n",
            "        pass\n",
            f"{_LEDGER}::test_a_worse_complaint_tightens_the_clock",
        ),
    ),
    *_of(
        "router.service.cases",
        (
            "g3-escalation-alerts",
            "        unit.journal.alert(\n",
            "        (\n            lambda _alert: None\n        )(\n",
            f"{_LEDGER}::test_an_overdue_case_climbs_three_levels_in_business_hours",
        ),
        (
            "g3-owner-works-here",
            "    if not unit.workforce.lock(owner).active:\n",
            "    if not unit.workforce.lock(owner).login:\n",
            f"{_LEDGER}::test_nobody_owns_a_case_who_has_left",
        ),
    ),
    *_of(
        "router.service.clocks",
        (
            "g3-overdue-escalates",
            "len(escalate_overdue(unit, policy=policy, at=at))",
            "0",
            f"{_LEDGER}::test_an_overdue_case_climbs_three_levels_in_business_hours",
        ),
        (
            "g3-overdue-is-noticed",
            "    if unit.cases.overdue(at, limit=1) or ",
            "    if ",
            f"{_LEDGER}::test_an_overdue_case_climbs_three_levels_in_business_hours",
        ),
    ),
    *_of(
        "router.service.people",
        (
            "g3-leaver-hands-back",
            "            enqueue(unit, case=case.id, queue=policy.case_queue, by=by, at=at)\n",
            "            return\n",
            f"{_LEDGER}::test_nobody_owns_a_case_who_has_left",
        ),
    ),
    *_of(
        "router.service.contacts",
        (
            "g3-split-gives-back",
            "    refresh_roots(unit, record)\n",
            "",
            f"{_STORY}::test_merge_then_split_gives_each_side_back_its_own",
        ),
    ),
    # ----- G4: no bot alone
    *_of(
        "router.service.carry",
        (
            "g4-bot-not-given",
            '    if cases:\n        raise Conflict("a contact with an open complaint',
            '    if False:\n        raise Conflict("a contact with an open complaint',
            f"{_CARRY}::test_the_bot_is_given_nobody_with_an_open_case",
        ),
    ),
    *_of(
        "router.domain.index",
        (
            "g4-bot-not-chosen",
            "        if waiting.bot_ok and not waiting.cases:\n",
            "        if waiting.bot_ok:\n",
            f"{_CARRY}::test_the_bot_is_not_chosen_over_an_open_case",
        ),
    ),
    *_of(
        "router.service.answer",
        (
            "g4-bot-looks-before-it-speaks",
            "if cases or utterance.content is None",
            "if utterance.content is None",
            f"{_LEDGER}::test_a_bot_that_still_has_it_says_nothing_and_closes_nothing",
        ),
        (
            "g4-bot-reads-before-it-speaks",
            "    if unit.conversations.unread_of(members):\n",
            "    if False:\n",
            f"{_CARRY}::test_the_bot_says_nothing_while_a_word_on_another_channel_is_unread",
        ),
        (
            "g4-bot-does-not-close",
            "        if unit.cases.open_of(unit.contacts.members(held.contact)):\n",
            "        if False:\n",
            f"{_LEDGER}::test_a_bot_that_still_has_it_says_nothing_and_closes_nothing",
        ),
    ),
    *_of(
        "router.domain.triage",
        (
            "g4-suspicious-words",
            "not (wants_human or flagged or open_cases)",
            "not wants_human",
            f"{_LEDGER}::test_words_that_merely_sound_like_a_complaint_keep_the_bot_away",
        ),
    ),
    # ----- what hangs on them
    *_of(
        "router.service.reply",
        (
            "promotion-is-held",
            "        check_promotion(unit, held.contact)\n",
            "        pass\n",
            f"{_FOLLOWUP}::test_nothing_promotional_goes_to_a_customer_with_an_open_complaint",
        ),
    ),
    *_of(
        "router.service.awareness",
        (
            "promotion-is-called-back",
            "    if cases:\n        hold_promotions(unit, contact, at=at)\n",
            "",
            f"{_HELD}::test_what_is_promotional_and_has_not_left_is_held_when_a_case_opens",
        ),
    ),
    *_of(
        "router.service.delivery",
        (
            "promotion-is-held-at-the-door",
            "        if unit.cases.open_of(unit.contacts.members(contact)):\n            _hold",
            "        if False:\n            _hold",
            f"{_HELD}::test_what_is_promotional_and_about_to_leave_is_held_at_the_door",
        ),
    ),
    *_of(
        "router.service.probable",
        (
            "g2-probable-link-warns",
            "        warn_probable(unit, one, at=at)\n",
            "",
            f"{_HELD}::test_a_probable_link_warns_the_holder_and_takes_it_from_the_bot",
        ),
    ),
    *_of(
        "router.service.reading",
        (
            "g2-probable-complaint-warns",
            "            warn_probable(unit, said.contact, at=at)\n",
            "",
            f"{_HELD}::test_a_complaint_of_the_probable_person_warns_the_holder",
        ),
    ),
    *_of(
        "router.service.identify",
        (
            "contradiction-does-not-merge",
            "        if contradict(unit, here.root, other):\n",
            "        if False:\n",
            f"{_STORY}::test_two_members_of_one_shop_are_not_made_one_by_a_shared_phone",
        ),
    ),
    *_of(
        "router.service.suspect",
        (
            "shared-number-joins-nobody",
            "    if len(others) > _SHARED_BY:\n        return\n",
            "",
            f"{_SUSPECT}::test_a_number_that_many_strangers_name_joins_nobody",
        ),
    ),
)


def failed_test(mutant: Mutant | None, *where: str) -> str:
    """Run tests against the mutant, or the product as it is; return what failed, or nothing."""
    name = mutant.name if mutant else ""
    command = [
        *(sys.executable, "-m", "pytest", "-p", "tests.service.mutate", "-p", "no:cacheprovider"),
        *("-x", "-q", "--no-header", "-k", "not postgresql", *where),
    ]
    ran = subprocess.run(  # noqa: S603  our own tests
        command,
        cwd=ROOT,
        env={**os.environ, "MAINSTEM_MUTANT": name},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode not in {0, 1}:
        raise RuntimeError(f"{name}: pytest ended with {ran.returncode}:\n{ran.stderr}{ran.stdout}")
    lines = (line for line in ran.stdout.splitlines() if line.startswith("FAILED "))
    found = next(lines, "")
    return found.removeprefix("FAILED ").split(" - ")[0]


def main(given: list[str]) -> int:
    """Run the mutants that are named, or all; return the exit code."""
    machine = "--machine" in given
    names = {each for each in given if not each.startswith("--")}
    chosen = [each for each in MUTANTS if not names or each.name in names]
    tests = [_MACHINE] if machine else sorted({each.caught_by for each in chosen})
    if failed := failed_test(None, *tests):
        print(f"{failed} fails without any mutation; nothing is proven")  # noqa: T201
        return 1
    survived = []
    for mutant in chosen:
        began = time.monotonic()
        caught = failed_test(mutant, _MACHINE if machine else mutant.caught_by)
        took = time.monotonic() - began
        print(f"{mutant.name:32} {took:5.1f} s  {caught or 'NOT CAUGHT'}", flush=True)  # noqa: T201
        if not caught:
            survived.append(mutant.name)
    print(f"{len(survived)} not caught{': ' if survived else ''}{', '.join(survived)}")  # noqa: T201
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
