"""Each check of the guarantees is seen: what takes it out is caught; the rest by `make mutants`."""

import pytest

from tests.service.mutants import MUTANTS, Mutant, failed_test

#: One of each guarantee; every one costs a run of pytest.
FEW = ("g1-case-version", "g4-bot-not-chosen")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_the_check_that_a_mutant_takes_out_stands_in_the_source(mutant: Mutant) -> None:
    source = mutant.path.read_text("utf-8")
    assert mutant.applied(source) != source
    compile(mutant.applied(source), str(mutant.path), "exec")


def test_names_are_used_once() -> None:
    assert len({each.name for each in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("name", FEW)
def test_a_missing_check_is_caught(name: str) -> None:
    (mutant,) = (each for each in MUTANTS if each.name == name)
    assert failed_test(mutant, mutant.caught_by).startswith(mutant.caught_by)
