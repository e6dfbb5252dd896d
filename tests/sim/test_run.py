"""The figures: they reproduce the reference, and are told as a table, as JSON and as a picture."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from router.cli.main import main
from router.settings.load import load
from router.sim.policies import FIRST, OURS
from router.sim.report import as_json, as_svg, as_table, mean_and_interval, summarise
from router.sim.run import simulate
from tests.sim.small import FOLDER, a_scenario, shipped

SHOP = load(environ={}).policy
REFERENCE = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))
_SMALL = "d08_small_sparse"


@pytest.mark.parametrize(
    "policy",
    ["round_robin", "priority_steps_tuned", "timed_relaxation"],
)
def test_a_model_reproduces_its_reference_within_the_confidence_interval(policy: str) -> None:
    scenario = shipped(_SMALL)
    runs = simulate([scenario], [policy], seeds={_SMALL: scenario.seeds.report}, shop=SHOP)
    (summary,) = summarise(runs)
    reference = REFERENCE["scenarios"][_SMALL][policy]
    for name in ("tc", "wdc", "comp_sla", "sla", "asa", "p95", "aband", "util"):
        mean, half = reference[name]
        assert abs(summary.measures[name][0] - mean) <= half, name


def test_the_first_policy_reproduces_its_reference_and_serves_complaints_no_worse() -> None:
    scenario = shipped(_SMALL)
    runs = simulate([scenario], [FIRST], seeds={_SMALL: scenario.seeds.report[:4]}, shop=SHOP)
    (summary,) = summarise(runs)
    reference = REFERENCE["scenarios"][_SMALL][FIRST]
    for name in ("tc", "wdc", "sla", "asa", "p95", "aband", "util"):
        mean, half = reference[name]
        assert abs(summary.measures[name][0] - mean) <= half, name
    mean, half = reference["comp_sla"]
    assert summary.measures["comp_sla"][0] >= mean - half


def test_ours_costs_far_less_than_taking_turns_and_keeps_complaints_in_time() -> None:
    scenario = shipped(_SMALL)
    seeds = {_SMALL: scenario.seeds.tune[:2]}
    found = {
        each.policy: each.measures
        for each in summarise(
            simulate(
                [scenario], [OURS, "round_robin", "timed_relaxation_tuned"], seeds=seeds, shop=SHOP
            )
        )
    }
    assert found[OURS]["tc"][0] < 0.3 * found["round_robin"]["tc"][0]
    assert found[OURS]["tc"][0] < 0.65 * found["timed_relaxation_tuned"]["tc"][0]
    assert found[OURS]["comp_sla"][0] > 0.97
    assert found[OURS]["util_cv"][0] < 0.23


def test_processes_change_nothing_but_the_time() -> None:
    scenario, seeds = a_scenario(), {"small": (1, 2)}
    alone = simulate([scenario], ["gcmu"], seeds=seeds, shop=SHOP)
    shared = simulate([scenario], ["gcmu"], seeds=seeds, shop=SHOP, processes=2)
    assert alone == shared


def test_progress_is_told_after_each_day() -> None:
    told: list[tuple[int, int]] = []
    simulate(
        [a_scenario()],
        ["gcmu"],
        seeds={"small": (1, 2)},
        shop=SHOP,
        progress=lambda done, everything: told.append((done, everything)),
    )
    assert told == [(1, 2), (2, 2)]


def test_an_interval_is_student_s() -> None:
    mean, half = mean_and_interval([1.0, 2.0, 3.0])
    assert (mean, round(half, 3)) == (2.0, 2.484)
    assert mean_and_interval([5.0]) == (5.0, 0.0)


def test_the_result_is_told_as_table_json_and_picture() -> None:
    runs = simulate([a_scenario()], ["gcmu", "round_robin"], seeds={"small": (1, 2)}, shop=SHOP)
    summaries = summarise(runs)
    table = as_table(summaries)
    assert table.index("gcmu") < table.index("round_robin")
    told = as_json(summaries, runs)
    assert set(told["scenarios"]["small"]) == {"gcmu", "round_robin"}
    assert len(told["days"]) == 4
    picture = ET.fromstring(as_svg(summaries))  # noqa: S314  our own text
    assert len(picture.findall("{http://www.w3.org/2000/svg}line")) == 2


def test_the_command_simulates_and_says_so(tmp_path: Path) -> None:
    file, plot = str(FOLDER / f"{_SMALL}.json"), tmp_path / "cost.svg"
    shown = CliRunner().invoke(
        main,
        ["simulate", file, "--policy", "gcmu", "--seeds", "1", "--json", "--plot", str(plot)],
    )
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["scenarios"][_SMALL]["gcmu"]["tc"][1] == 0
    assert "1 of 1 days" in shown.stderr
    assert plot.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--policy", "magic"], "no policy magic"),
        (["--seeds", "many"], "seeds are report, tune, or numbers"),
    ],
)
def test_the_command_refuses_what_it_does_not_know(arguments: list[str], says: str) -> None:
    shown = CliRunner().invoke(main, ["simulate", str(FOLDER / f"{_SMALL}.json"), *arguments])
    assert shown.exit_code == 1
    assert says in shown.stderr
