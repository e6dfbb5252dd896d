"""Whatever the coach sees, it offers a better wording, in the language of the conversation."""

import re
from typing import Any

import pytest

from router.domain.coach import Rule, advise
from tests.domain.test_coach import EXAMPLES, HINTS, a_draft

_HAN = re.compile(r"[一-鿿]")


def seen(rule: Rule, language: str) -> list[dict[str, Any]]:
    """Return the labelled replies of a language in which a rule is broken."""
    return [row for row in EXAMPLES if rule.value in row["rules"] and row["lang"] == language]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("rule", Rule)
def test_each_thing_that_the_coach_sees_comes_with_a_better_wording(
    rule: Rule, language: str
) -> None:
    rows = seen(rule, language)
    assert rows, f"no example of {rule.value} in {language}"
    for row in rows:
        hints = {each.rule: each for each in advise(a_draft(row), policy=HINTS)}
        better = hints[rule].better
        assert better.strip(), row["text"]
        assert better.strip() != row["text"].strip()
        assert bool(_HAN.search(better)) == (language == "zh"), better
