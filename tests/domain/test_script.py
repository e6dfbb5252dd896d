"""Scripts: one meaning, a wording for each channel, filled in or not sent."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.errors import IllegalStep, Invalid, NotFilled, OwnWork
from router.domain.ids import ContactId, ScriptId, TrialId
from router.domain.script import (
    VARIABLES,
    Script,
    ScriptState,
    approved,
    checked,
    filled,
    missing_in,
    submitted,
    withdrawn,
    worded,
)
from router.domain.trial import Measure, Outcome, Trial, Variant, tally
from router.domain.trial import checked as checked_trial
from tests.builders import NOW


def a_script(**changes: Any) -> Script:
    plain = Script(
        id=ScriptId("ship"),
        state=ScriptState.DRAFT,
        title="催发货",
        shortcut="CF",
        category="物流",
        meaning="说明发货时间",
        wordings={
            "any": {"zh": "{contact}您好，今天发货。"},
            "social": {"zh": "今天发货 #云杉家居"},
        },
        promotional=False,
        updated_at=NOW,
        updated_by="li",
    )
    return replace(plain, **changes)


def test_a_channel_hears_its_own_wording_then_its_familys_then_the_general_one() -> None:
    wordings = {
        "any": {"zh": "通用", "en": "general"},
        "shop": {"zh": "亲，活泼"},
        "jd": {"zh": "精确"},
    }
    said = {
        channel: worded(wordings, channel=channel, family="shop", language="zh")
        for channel in ("taobao", "jd")
    }
    assert said == {"taobao": ("shop", "亲，活泼"), "jd": ("jd", "精确")}
    assert worded(wordings, channel="jd", family="shop", language="en") == ("any", "general")
    assert worded({"any": {"zh": "x"}}, channel="", family="", language="en") == ("", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{foo}您好", r"\{foo\} is not a variable; there are \{contact\}"),
        ("{contact.name}", "is not a variable"),
        ("{contact!r}", "is not a variable"),
        ("{order:>10}", "is not a variable"),
        ("{}", "is not a variable"),
        ("{contact", "braces do not match"),
    ],
)
def test_what_a_template_cannot_name_is_refused_by_its_place(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=rf"^wordings\.any\.zh: .*{said}"):
        checked(a_script(wordings={"any": {"zh": text}}))


@given(
    st.lists(st.sampled_from(VARIABLES), max_size=4),
    st.dictionaries(st.sampled_from(VARIABLES), st.text(max_size=10)),
)
def test_a_template_is_filled_wholly_or_not_at_all(
    names: list[str], values: dict[str, str]
) -> None:
    template = "您好，" + "、".join(f"{{{name}}}" for name in names) + "{{花括号}}"
    absent = {name for name in names if not values.get(name)}
    assert set(missing_in(template, values)) == absent
    if absent:
        with pytest.raises(NotFilled, match=next(iter(absent))):
            filled(template, values)
    else:
        words = "您好，" + "、".join(values[name] for name in names) + "{花括号}"
        assert filled(template, values) == words


def test_a_change_does_not_touch_what_was_approved_until_it_is_approved_itself() -> None:
    one = approved(checked(a_script()), by="wang", four_eyes=False, at=NOW)
    assert one.wording(channel="weibo", family="social", language="zh")[1] == "今天发货 #云杉家居"
    changed = replace(one, state=ScriptState.DRAFT, wordings={"any": {"zh": "改"}})
    assert changed.wording(channel="x", family="y", language="zh")[1] == "{contact}您好，今天发货。"
    with pytest.raises(OwnWork):
        approved(submitted(changed, by="li"), by="li", four_eyes=True, at=NOW)
    with pytest.raises(IllegalStep):
        approved(changed, by="wang", four_eyes=True, at=NOW)
    assert withdrawn(one).wording(channel="x", family="y", language="zh") == ("", "")


def a_trial(**changes: Any) -> Trial:
    plain = Trial(
        id=TrialId("t-1"),
        script=ScriptId("ship"),
        place="any",
        variants=(
            Variant(name="A", wording={"zh": "今天发货。"}),
            Variant(name="B", wording={"zh": "今天就发，放心～"}),
        ),
        measure=Measure.REPLY,
        planned=100,
        started_at=NOW,
        started_by="wang",
    )
    return replace(plain, **changes)


def test_a_contact_has_one_variant_for_good_and_each_is_as_likely() -> None:
    trial = a_trial()
    given_ = [trial.variant_for(ContactId(f"c-{number}")).name for number in range(2000)]
    assert given_ == [trial.variant_for(ContactId(f"c-{number}")).name for number in range(2000)]
    assert 900 < given_.count("A") < 1100
    other = a_trial(id=TrialId("t-2"))
    moved = [other.variant_for(ContactId(f"c-{number}")).name for number in range(2000)]
    assert 800 < sum(one != two for one, two in zip(given_, moved, strict=True)) < 1200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"variants": a_trial().variants[:1]}, "variants"),
        ({"variants": (a_trial().variants[0],) * 2}, "variants"),
        ({"variants": (*a_trial().variants, Variant(name="C", wording={"en": "x"}))}, "variants.C"),
        (
            {"variants": (*a_trial().variants, Variant(name="C", wording={"zh": "{x}"}))},
            "variants.C",
        ),
        ({"planned": 3}, "planned"),
    ],
)
def test_what_cannot_be_a_trial_is_refused_by_its_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid, match=f"^{field}"):
        checked_trial(a_trial(**changes))


def test_outcomes_that_cannot_be_told_yet_count_for_nothing() -> None:
    def outcome(number: int, variant: str, *, replied: bool | None, rating: int | None) -> Outcome:
        return Outcome(
            contact=ContactId(f"c-{number}"),
            variant=variant,
            replied=replied,
            ordered=None,
            resolved=None,
            rating=rating,
        )

    held = [
        outcome(1, "A", replied=True, rating=5),
        outcome(2, "A", replied=None, rating=None),
        outcome(3, "B", replied=False, rating=2),
    ]
    one, two = tally(a_trial(), held, Measure.REPLY)
    assert (one.contacts, one.count, one.good, one.share) == (2, 1, 1, 1.0)
    assert (two.contacts, two.count, two.good, two.share) == (1, 1, 0, 0.0)
    one, two = tally(a_trial(), held, Measure.CSAT)
    assert (one.values, one.good, two.values, two.good) == ((5,), 1, (2,), 0)
    assert tally(a_trial(), held, Measure.CONVERSION)[0].share is None
