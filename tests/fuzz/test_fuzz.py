"""A short slice of ``make fuzz``, the same every time; and the fuzzer, shown what is wrong."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from router.channel.capture import decode_capture
from router.channel.contract import Decoded, Ignored, Received, Response, Trusted
from router.domain.content import Text
from tests.fuzz.mangle import mangled
from tests.fuzz.probe import Broken, Shot, check_event, judge, shot, shot_of, targets, told_of
from tests.fuzz.run import keep, volley, why_broken

SLICE = 60
KEPT = sorted((Path(__file__).parent / "kept").glob("*.json"))


@pytest.mark.parametrize("channel", sorted(targets()))
def test_whatever_comes_a_channel_reads_or_refuses_it(channel: str) -> None:
    broken = volley(channel, 20251009, SLICE, lambda _made: None)
    assert broken is None, f"{broken!r}: {why_broken(broken)}" if broken else ""


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.stem)
def test_what_once_broke_is_mended(kept: Path) -> None:
    assert not why_broken(shot_of(json.loads(kept.read_text(encoding="utf-8"))))


def test_every_way_in_is_thrown_at() -> None:
    ways = {(name, target.way) for name, each in targets().items() for target in each}
    assert {way for _, way in ways} == {"wire", "signed", "trusted", "reply"}
    assert {name for name, _ in ways} == set(targets())
    assert not {name for name in targets() if (name, "trusted") not in ways}


def test_what_is_signed_again_gets_past_the_proof() -> None:
    for name in ("messenger", "line", "slack", "standard", "douyin", "x", "kuaishou"):
        signed = [each for each in targets()[name] if each.way == "signed"]
        made = [shot(target, [1]) for target in signed]
        changed = [each for each in made if each.request and each.request.body]
        words = {judge(each) for each in changed}
        assert words - {"Unverified"}, name


def test_mutations_tell_the_same_story_twice_and_change_it() -> None:
    body = json.dumps({"a": {"b": ["投诉", 1]}, "c": '{"d": 2}'}).encode()
    made = [mangled(body, change) for change in range(200)]
    assert made == [mangled(body, change) for change in range(200)]
    assert len(set(made)) > 100
    assert any(b"\\ud8" in each or b"\xed\xa0" in each for each in made)


# ----- what the fuzzer must notice ---------------------------------------------------------------


class _Bad:
    """An adapter with one fault."""

    def __init__(self, adapter: Any, decoded: Any) -> None:
        self._adapter, self._decoded = adapter, decoded

    def verify(self, request: Any) -> Trusted:
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        made: Decoded = self._decoded(request)
        return made


AT = datetime(2025, 10, 9, tzinfo=UTC)
GOOD = Received(external_id="1", sender="a", at=AT, content=Text(text="好"))


def _faults() -> Iterator[Any]:
    def breaks(_request: Trusted) -> Decoded:
        raise KeyError("text")

    yield pytest.param(breaks, "KeyError", id="another exception")
    for name, event, says in (
        ("NUL", replace(GOOD, content=Text(text="a\x00b")), "NUL"),
        ("half a character", replace(GOOD, sender_name="a\ud800"), "half a character"),
        ("naive time", replace(GOOD, at=datetime(2025, 10, 9)), "no time"),  # noqa: DTZ001
        ("no id", replace(GOOD, external_id=""), "without external_id"),
        ("nobody", replace(GOOD, sender=""), "without sender"),
        ("unnamed", Ignored(kind=""), "without kind"),
    ):
        yield pytest.param(lambda _r, e=event: Decoded(events=(e,)), says, id=name)
    answer = Decoded(response=Response(status=503))
    yield pytest.param(lambda _r: answer, "answers 503", id="an answer of 503")


@pytest.mark.parametrize(("decoded", "says"), list(_faults()))
def test_a_fault_is_noticed_kept_and_thrown_again(
    decoded: Any, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = next(each for each in targets()["weibo"] if each.way == "wire")
    monkeypatch.setattr(type(target.case), "adapter", lambda case: _Bad(case, decoded))
    made = shot(target, [3])
    with pytest.raises(Broken, match=says):
        judge(made)
    kept = json.loads(keep(made, tmp_path).read_text(encoding="utf-8"))
    assert says in kept["why"]
    assert shot_of(kept) == made


def test_what_is_kept_can_be_looked_at_with_decode() -> None:
    target = next(each for each in targets()["line"] if each.way == "signed")
    capture = json.dumps(told_of(shot(target, [5]), "")).encode()
    (step,) = json.loads(decode_capture(target.case.channel, capture))["steps"]
    assert set(step) >= {"verified", "error", "answer", "events"}


def test_a_sound_event_is_passed() -> None:
    check_event(GOOD)


def test_an_answer_that_is_kept_is_the_same_when_thrown_again() -> None:
    target = next(each for each in targets()["line"] if each.way == "reply")
    made: Shot = shot(target, [7, 8])
    assert shot_of(json.loads(json.dumps(told_of(made, "")))) == made
