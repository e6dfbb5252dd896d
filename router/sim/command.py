"""What `mainstem simulate` does with its arguments; it prints, the command line only parses."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from router.domain.policy import ShopPolicy
from router.sim.policies import NAMES
from router.sim.report import as_json, as_svg, as_table, summarise
from router.sim.run import simulate
from router.sim.scenario import BadScenario, Scenario, read_scenario

#: Sets of seeds that a scenario names.
_NAMED = ("tune", "report")


def simulate_command(
    files: Sequence[Path],
    *,
    policies: Sequence[str],
    seeds: str,
    shop: ShopPolicy,
    as_data: bool,
    plot: Path | None,
    processes: int | None,
    say: Callable[[str], None],
    note: Callable[[str], None],
) -> None:
    """Simulate scenario files; ``say`` takes the result, ``note`` the progress.

    ``seeds`` is ``report``, ``tune``, or numbers such as ``1,2,5-8``. Raises `BadScenario`.
    """
    scenarios = tuple(read_scenario(file) for file in files)
    chosen = tuple(policies) or NAMES
    unknown = sorted(set(chosen) - set(NAMES))
    if unknown:
        raise BadScenario(f"no policy {', '.join(unknown)}; there are {', '.join(NAMES)}")
    runs = simulate(
        scenarios,
        chosen,
        seeds={each.name: _seeds(each, seeds) for each in scenarios},
        shop=shop,
        processes=processes or os.cpu_count() or 1,
        progress=lambda done, everything: note(f"{done} of {everything} days"),
    )
    summaries = summarise(runs)
    if plot is not None:
        plot.write_text(as_svg(summaries), encoding="utf-8")
    if as_data:
        say(json.dumps(as_json(summaries, runs), indent=1, ensure_ascii=False))
    else:
        say(as_table(summaries))


def _seeds(scenario: Scenario, text: str) -> tuple[int, ...]:
    if text in _NAMED:
        return scenario.seeds.report if text == "report" else scenario.seeds.tune
    found: list[int] = []
    for part in text.split(","):
        first, _dash, last = part.strip().partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise BadScenario(f"seeds are report, tune, or numbers such as 1,2,5-8; not {text!r}")
        found.extend(range(int(first), int(last or first) + 1))
    if not found:
        raise BadScenario(f"no seeds in {text!r}")
    return tuple(found)
