"""Every channel's cases: one story a file, run by one test.

``CASES_NAME=line`` narrows to one channel; ``CASES_UPDATE=1`` rewrites the expectations in place.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from router.channel.contract import (
    Channel,
    Deferred,
    Family,
    Ignored,
    Pulled,
    Recalled,
    Receipt,
    Received,
    Refused,
    ShopEvent,
    Turn,
)
from router.channel.registry import channels
from router.domain.content import Media, MediaKind, Text, Unsupported
from tests.adapters.case_files import Case, answered, cases, played, retold, same, unknown_keys
from tests.adapters.toml_writer import opening_comment, written

ONLY = os.environ.get("CASES_NAME", "")
UPDATE = os.environ.get("CASES_UPDATE") == "1"
ALL = tuple(cases(ONLY))
CHANNELS = [channel for name, channel in sorted(channels().items()) if ONLY in ("", name)]


def _id(case: Case) -> str:
    return f"{case.channel.name}-{case.path.stem}"


@pytest.mark.parametrize("case", ALL, ids=_id)
def test_a_case_goes_as_it_is_told(case: Case) -> None:
    assert not unknown_keys(case)
    if UPDATE:
        opening = opening_comment(case.path.read_text(encoding="utf-8"))
        case.path.write_text(written(retold(case), opening=opening), encoding="utf-8")
        return
    assert case.steps() or case.exchanges(), "the case tells nothing"
    for step, taken in played(case):
        compare_step(step, taken)
    for exchange in case.exchanges():
        compare_exchange(exchange, answered(case, exchange))


def compare_step(step: Any, taken: Any) -> None:
    """Fail unless a delivery became what the story tells."""
    retelling = retold_view(taken)
    raised = taken.error.partition(":")[0]
    assert raised == step.get("raises", ""), taken.error
    assert step.get("says", "") in taken.error
    assert taken.handshake == step.get("handshake", False)
    if raised != "Unverified":
        assert same(step.get("response", {}), taken.answer), retelling
    events = step.get("events", [])
    assert len(events) == len(taken.decoded.events), retelling
    for told, event in zip(events, taken.decoded.events, strict=True):
        assert told.get("type") == type(event).__name__, retelling
        assert same(told, event), retelling
    assert same(step.get("calls", []), taken.decoded.calls), retelling


def compare_exchange(exchange: Any, made: dict[str, Any]) -> None:
    """Fail unless a call of ours and its answer are what the story tells."""
    told = {key: exchange[key] for key in ("call", "calls", "signed", "outcome") if key in exchange}
    assert set(told) == set(made), made
    for key, value in made.items():
        assert same(told[key], value), value


def retold_view(taken: Any) -> str:
    """Return what happened, to be read when it was not what was told."""
    return f"{taken.error or 'no error'}; {taken.answer}; {taken.decoded}"


# ----- what every channel must have told ---------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_a_channel_tells_every_story_that_its_platform_can(channel: Channel) -> None:
    own = [case for case in ALL if case.channel.name == channel.name]
    told = [taken for case in own for _, taken in played(case)]
    events = [event for taken in told for event in taken.decoded.events]
    outcomes = [
        value.get("outcome")
        for case in own
        for each in case.exchanges()
        for value in (answered(case, each),)
    ]
    for outcome in outcomes:
        events.extend(outcome.events if isinstance(outcome, Pulled) else ())
    assert list(_untold(channel, own, told, events, outcomes)) == []


def _untold(
    channel: Channel, own: list[Case], told: list[Any], events: list[Any], outcomes: list[Any]
) -> Iterator[str]:
    """Yield each story that the channel's capabilities promise and that no case tells."""
    can = channel.capabilities
    contents = [event.content for event in events if isinstance(event, Received)]
    news_only = channel.family is Family.SHOP and not can.replies and _any(events, ShopEvent)
    spoken = any(isinstance(content, Text) for content in contents) or _any(events, Turn)
    if not spoken and not news_only:
        yield "words"
    for medium in can.media_in & set(MediaKind):
        if not any(isinstance(each, Media) and each.kind == medium for each in contents):
            yield f"a {medium}"
    if can.recalls_in and not _any(events, Recalled):
        yield "a recall"
    if can.receipts and not _any(events, Receipt):
        yield "a receipt"
    if not any(not taken.verified for taken in told):
        yield "a forged request"
    if not any(_is_replay(case) for case in own):
        yield "a replayed request (a step with again = true)"
    unknown = _any(events, Ignored) or _any(contents, Unsupported)
    if channel.transport != "upload" and not unknown:  # an upload has no kinds to be unknown
        yield "an unknown event"
    if can.replies and channel.transport == "webhook":
        yield from (
            f"a send that is {kind.__name__}"
            for kind in (Deferred, Refused)
            if not _any(outcomes, kind)
        )


def _any(values: list[Any], kind: type[Any]) -> bool:
    return any(isinstance(value, kind) for value in values)


def _is_replay(case: Case) -> bool:
    """Return whether the case delivers a request twice, to the same events or to a refusal."""
    first: Any = None
    for step, taken in played(case):
        if step.get("again") and first is not None:
            return bool(taken.decoded.events == first.decoded.events or not taken.verified)
        first = taken
    return False
