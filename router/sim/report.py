"""What came out: means with confidence intervals, as a table, as JSON and as a picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import sqrt
from typing import Any

import numpy as np

from router.sim.run import Run

#: Two-sided 95 % points of Student's t for 1 … 30 degrees of freedom (then the normal's).
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
_NORMAL = 1.960

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
    'font-family="sans-serif" font-size="11" role="img">'
)

#: The columns of the table: measure, heading, decimals, factor.
COLUMNS = (
    ("tc", "cost", 3, 1.0),
    ("wdc", "delay", 3, 1.0),
    ("qual", "match", 3, 1.0),
    ("comp_sla", "complaints %", 1, 100.0),
    ("vip_sla", "VIP %", 1, 100.0),
    ("sla", "in time %", 1, 100.0),
    ("asa", "ASA s", 1, 1.0),
    ("p95", "p95 s", 0, 1.0),
    ("maxw", "longest s", 0, 1.0),
    ("aband", "left %", 1, 100.0),
    ("transfer", "handed on %", 1, 100.0),
    ("util", "occupancy %", 1, 100.0),
    ("util_cv", "spread", 3, 1.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A scenario under a policy: mean and half-width of the 95 % interval of each measure."""

    scenario: str
    policy: str
    days: int
    measures: Mapping[str, tuple[float, float]]


def summarise(runs: Iterable[Run]) -> tuple[Summary, ...]:
    """Return one summary for each scenario and policy, in the order of the runs."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.scenario, run.policy), []).append(run)
    return tuple(
        Summary(
            scenario=scenario,
            policy=policy,
            days=len(held),
            measures={
                name: mean_and_interval([each.measures[name] for each in held])
                for name in held[0].measures
            },
        )
        for (scenario, policy), held in groups.items()
    )


def mean_and_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the half-width of its 95 % confidence interval (0 for one value)."""
    count = len(values)
    mean = float(np.mean(values))
    if count == 1:
        return mean, 0.0
    point = _T95[count - 2] if count - 2 < len(_T95) else _NORMAL
    return mean, point * float(np.std(values, ddof=1)) / sqrt(count)


def as_json(summaries: Iterable[Summary], runs: Iterable[Run]) -> dict[str, Any]:
    """Return everything: by scenario and policy [mean, half-width], and each day."""
    scenarios: dict[str, dict[str, Any]] = {}
    for each in summaries:
        scenarios.setdefault(each.scenario, {})[each.policy] = {
            name: [round(mean, 4), round(half, 4)] for name, (mean, half) in each.measures.items()
        }
    return {
        "note": "mean and 95 % confidence half-width over the seeds",
        "scenarios": scenarios,
        "days": [
            {
                "scenario": run.scenario,
                "policy": run.policy,
                "seed": run.seed,
                **{name: round(value, 6) for name, value in run.measures.items()},
            }
            for run in runs
        ],
    }


def as_table(summaries: Sequence[Summary]) -> str:
    """Return a plain table for each scenario, the best cost first."""
    lines: list[str] = []
    for scenario in dict.fromkeys(each.scenario for each in summaries):
        held = [each for each in summaries if each.scenario == scenario]
        lines.append(f"{scenario}: {held[0].days} day(s), mean ± 95 %")
        rows = [["policy", *(heading for _name, heading, _places, _factor in COLUMNS)]]
        rows.extend(_row(each) for each in sorted(held, key=lambda each: each.measures["tc"]))
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
        lines.extend(
            "  ".join(
                cell.ljust(width) if at == 0 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )
        lines.append("")
    return "\n".join(lines)


def _row(summary: Summary) -> list[str]:
    cells = [summary.policy]
    for name, _heading, places, factor in COLUMNS:
        mean, half = summary.measures[name]
        cells.append(f"{mean * factor:.{places}f}±{half * factor:.{places}f}")
    return cells


def as_svg(summaries: Sequence[Summary], measure: str = "tc") -> str:
    """Return a bar chart of one measure: a group for each scenario, a bar for each policy."""
    scenarios = list(dict.fromkeys(each.scenario for each in summaries))
    policies = list(dict.fromkeys(each.policy for each in summaries))
    most = max(sum(each.measures[measure]) for each in summaries) or 1.0
    wide, high, left = 12, 240, 60
    group = wide * len(policies) + 16
    parts = [
        _SVG.format(wide=left + group * len(scenarios) + 220, high=high + 60),
        f"<title>{escape(measure)} by scenario and policy</title>",
    ]
    found = {(each.scenario, each.policy): each.measures[measure] for each in summaries}
    for column, scenario in enumerate(scenarios):
        x = left + column * group
        parts.append(f'<text x="{x}" y="{high + 34}">{escape(scenario)}</text>')
        for place, policy in enumerate(policies):
            if (scenario, policy) in found:
                parts.append(
                    _bar(x + place * wide, found[scenario, policy], place, high=high, most=most)
                )
    for place, policy in enumerate(policies):
        x, y = left + group * len(scenarios) + 10, 20 + 16 * place
        parts.append(f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{_colour(place)}"/>')
        parts.append(f'<text x="{x + 16}" y="{y}">{escape(policy)}</text>')
    for step in range(5):
        height = 20 + high - high * step / 4
        parts.append(f'<text x="4" y="{height:.0f}">{most * step / 4:.2f}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _bar(x: int, value: tuple[float, float], place: int, *, high: int, most: float) -> str:
    mean, half = value
    tall, middle = high * mean / most, x + 5
    top, foot = (20 + high - high * (mean + sign * half) / most for sign in (1, -1))
    return (
        f'<rect x="{x}" y="{20 + high - tall:.1f}" width="10" height="{tall:.1f}" '
        f'fill="{_colour(place)}"/>'
        f'<line x1="{middle}" x2="{middle}" y1="{top:.1f}" y2="{foot:.1f}" stroke="#222"/>'
    )


def _colour(place: int) -> str:
    return f"hsl({(210 + place * 67) % 360} 55% {45 + 12 * (place % 3)}%)"
