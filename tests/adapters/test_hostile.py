"""Whatever arrives, an adapter says Unverified or Malformed, or reads it; nothing else escapes."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters._common import jsonin, xmlin
from adapters._common.jsonin import read_json
from adapters._common.xmlin import read_xml
from router.channel.contract import Malformed, Request, Trusted, Unverified
from tests.adapters.case_files import Case, cases, deliveries, played

BIG = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sample:
    """One delivery of a case, and what it was trusted as if it was."""

    case: Case
    request: Request
    trusted: Trusted | None

    def __repr__(self) -> str:
        return f"<{self.case.channel.name}/{self.case.path.stem}>"


def _samples() -> tuple[Sample, ...]:
    return tuple(
        Sample(case=case, request=request, trusted=taken.trusted)
        for case in cases()
        for (_, request), (_, taken) in zip(deliveries(case), played(case), strict=True)
    )


SAMPLES = _samples()
TRUSTED = tuple(sample for sample in SAMPLES if sample.trusted is not None)
INSERTED = st.sampled_from(
    (
        *(
            b"\x00",
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"\\ud800",
            b"{",
            b"}",
            b"[" * 50,
            b'"',
            b"<",
            b">",
        ),
        *(b"]]>", b"<!DOCTYPE x>", b"&#xD800;", b"&#0;", b"&x;", b"null", b"NaN", b"1e999", b"-1"),
        *(
            b"99999999999999999999999",
            b"0" * 5000,
            b'{"a":1}',
            b"true",
            "　".encode(),
            b"%",
            b"=",
            b"&",
        ),
    )
)


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[float, float, bytes]]:
    """Draw places (as shares of the length) where something is cut out and something put in."""
    place = st.floats(0, 1)
    piece = st.one_of(INSERTED, st.binary(max_size=8), st.just(b""))
    return draw(st.lists(st.tuples(place, st.floats(0, 0.3), piece), min_size=1, max_size=4))


def mutated(body: bytes, changes: list[tuple[float, float, bytes]]) -> bytes:
    for place, share, piece in changes:
        start = int(len(body) * place)
        body = body[:start] + piece + body[start + int(len(body) * share) :]
    return body


def reaction(adapter: Any, request: Request, trusted: Trusted | None) -> str:
    """Take ``request`` in, from the start or already trusted, and return what was made of it."""
    try:
        proven = trusted or adapter.verify(request)
        if adapter.handshake(proven) is not None:
            return "shaken"
        return type(adapter.decode(proven)).__name__
    except (Unverified, Malformed) as error:
        return str(error)


@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(sample=st.sampled_from(TRUSTED), changes=mutations())
def test_a_trusted_body_may_be_anything(
    sample: Sample, changes: list[tuple[float, float, bytes]]
) -> None:
    assert sample.trusted is not None
    body = mutated(sample.trusted.body, changes)
    request = replace(sample.request, body=body)
    trusted = replace(sample.trusted, request=request, body=body)
    assert reaction(sample.case.adapter(), request, trusted), "a refusal says why"


@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(sample=st.sampled_from(SAMPLES), changes=mutations(), data=st.data())
def test_a_request_that_nobody_has_proven_may_be_anything(
    sample: Sample, changes: list[tuple[float, float, bytes]], data: st.DataObject
) -> None:
    keys = [*(name for name, _ in sample.request.query), "signature"]
    name = data.draw(st.sampled_from(keys))
    value = data.draw(st.one_of(st.just(""), st.text(max_size=40)))
    doubled = data.draw(st.booleans())
    query = tuple(pair for pair in sample.request.query if doubled or pair[0] != name)
    headers = {
        key: data.draw(st.one_of(st.just(held), st.text(max_size=40)))
        for key, held in sample.request.headers.items()
    }
    request = replace(
        sample.request,
        body=mutated(sample.request.body, changes),
        query=(*query, (name, value)),
        headers=headers,
        method=data.draw(st.sampled_from(("GET", "POST", "PUT", "HEAD", sample.request.method))),
    )
    assert reaction(sample.case.adapter(), request, None), "a refusal says why"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * BIG, id="json brackets"),
        pytest.param(b'{"a":' * 100_000, id="json objects"),
        pytest.param(b'"' + b"a" * BIG + b'"', id="a long text"),
        pytest.param(b"<a>" * 300_000, id="xml elements"),
        pytest.param(b"<xml><a>" + b"b" * BIG + b"</a></xml>", id="a long element"),
    ],
)
def test_a_body_that_is_too_large_or_too_deep_is_refused_before_it_is_read(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_json(body)
    with pytest.raises(Malformed):
        read_xml(body)


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><x><a>&a;</a></x>',
        b'<!DOCTYPE x SYSTEM "file:///etc/hostname"><x><a>1</a></x>',
        b"<x><a>&unknown;</a></x>",
        b"<x>",
        b"",
        b"<x>only words</x>",
        b"<?xml version='1.0' encoding='utf-16'?><x>",
    ],
)
def test_xml_that_asks_for_more_than_elements_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_xml(body)


def test_just_deep_enough_is_read() -> None:
    lists = b"[" * jsonin.MAX_DEPTH + b"]" * jsonin.MAX_DEPTH
    assert read_json(lists)
    with pytest.raises(Malformed, match="deep"):
        read_json(b"[" + lists + b"]")
    inner = xmlin.MAX_DEPTH - 1
    assert read_xml(b"<x>" + b"<a>" * inner + b"</a>" * inner + b"</x>")
    with pytest.raises(Malformed, match="deep"):
        read_xml(b"<x>" + b"<a>" * (inner + 1) + b"</a>" * (inner + 1) + b"</x>")


def test_numbers_stay_the_text_that_they_were() -> None:
    assert read_json(b'{"id": 24810000000000001234567, "x": 1.10}') == {
        "id": "24810000000000001234567",
        "x": "1.10",
    }


@given(st.text())
def test_what_is_read_can_always_be_stored(words: str) -> None:
    body = ('{"a": "' + words.replace("\\", "").replace('"', "") + '"}').encode("utf-8", "replace")
    try:
        read = read_json(body)
    except Malformed:
        return
    read["a"].encode("utf-8")
    assert "\x00" not in read["a"]
