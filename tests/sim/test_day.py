"""Days are the same wherever they are drawn, and files say what is wrong with them."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from router.sim.day import COMPLAINS, draw_day
from router.sim.scenario import SKILLS, BadScenario, read_scenario
from tests.sim.small import FOLDER, a_scenario, shipped

#: Recorded from the reference generator: conversations, and digests of the agents, the customers,
#: and what they need with the forecast.
RECORDED = (
    ("d01_normal", 101, 7046, "72d2dd45c7a06bc3", "606a4fcde3a73c2b", "caa76ef1d57ae19f"),
    ("d04_channel_outage", 7, 8967, "a8328807f53b4f98", "49fd6c73bb09f9f7", "37c4f9e144f374b8"),
    ("d06_complaint_burst", 112, 9466, "c74b0da0f085855f", "ff8a5a82cb86a228", "5f7a70ddcdaeb7aa"),
    ("d09_wrong_forecast", 1, 9492, "02979a7e7bc1395c", "c0dde63036907ab7", "6fc77ac5aba00b22"),
)


def _digest(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array.astype(np.float64)).round(6).tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_every_shipped_scenario_can_be_played(file: Path) -> None:
    scenario = read_scenario(file)
    assert scenario.name == file.stem
    assert not set(scenario.seeds.tune) & set(scenario.seeds.report)


@pytest.mark.parametrize(("name", "seed", "count", "agents", "customers", "needs"), RECORDED)
def test_days_are_those_of_the_reference_generator(  # noqa: PLR0917
    name: str, seed: int, count: int, agents: str, customers: str, needs: str
) -> None:
    day = draw_day(shipped(name), seed)
    who, staff, fit = day.customers, day.staff, day.fit
    assert len(who.arrival) == count
    assert _digest(staff.levels, staff.serves, staff.speed, staff.on, staff.back) == agents
    drawn = (who.arrival, who.channel, who.kind, who.target, who.weight, who.patience, who.work)
    assert _digest(*drawn, who.previous, who.luck) == customers
    tables = (who.needs, day.wanted_of, fit.level, fit.missing, fit.topic, day.forecast)
    assert _digest(*tables) == needs


def test_a_day_depends_on_its_seed_only() -> None:
    one, again, other = (draw_day(a_scenario(), seed) for seed in (3, 3, 4))
    assert _digest(one.customers.arrival) == _digest(again.customers.arrival)
    assert _digest(one.customers.work) == _digest(again.customers.work)
    assert _digest(one.customers.arrival) != _digest(other.customers.arrival)


def test_whoever_knows_a_contact_could_have_served_them() -> None:
    day = draw_day(a_scenario(sticky_share=1.0), 1)
    known = np.flatnonzero(day.customers.previous >= 0)
    assert len(known) > 0
    for each in known.tolist():
        agent, channel = int(day.customers.previous[each]), int(day.customers.channel[each])
        assert day.staff.serves[agent, 0 if channel == 0 else 1]
        assert day.fit.level[day.wanted_of[each, 0], agent] <= 1


def test_a_complaint_needs_more_standing_each_time_it_escalates() -> None:
    day = draw_day(a_scenario(complaint_share=0.3), 1)
    complaint = SKILLS.index("complaint")
    for each in np.flatnonzero(day.customers.kind == COMPLAINS).tolist():
        levels = day.wanted[day.wanted_of[each], complaint]
        assert levels.tolist() == [2, 3, 4]


def test_a_dead_channel_brings_nobody_and_its_customers_show_up_elsewhere() -> None:
    day = draw_day(shipped("d04_channel_outage"), 1)
    dead = (day.customers.arrival >= 2.5 * 3600) & (day.customers.arrival < 3.5 * 3600)
    assert int(np.sum(day.customers.channel[dead] == 1)) == 0
    assert int(np.sum(day.customers.channel[dead] == 2)) > 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "missing required field"),
        ("nonsense", "malformed"),
        ('{"name": "x", "surprise": 1}', "surprise"),
    ],
)
def test_a_file_that_is_no_scenario_says_why(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadScenario, match=says):
        read_scenario(file)


def test_a_scenario_that_thins_an_unknown_skill_is_refused(tmp_path: Path) -> None:
    text = (FOLDER / "d03_skill_shortage.json").read_text(encoding="utf-8")
    file = tmp_path / "bad.json"
    file.write_text(text.replace('"returns": 0.45', '"returnz": 0.45'), encoding="utf-8")
    with pytest.raises(BadScenario, match="returnz"):
        read_scenario(file)
