"""What a what-if and a staffing search say, as plain data and as a table."""

from typing import Any

from router.sim.staffing import Needed
from router.sim.whatif import SHOWN, Answer, Outcome

#: Heading, decimals and factor of each measure that is shown.
_HEADINGS = {
    "comp_sla": ("complaints in time %", 1, 100.0),
    "sla": ("in time %", 1, 100.0),
    "asa": ("mean wait s", 1, 1.0),
    "p95": ("p95 s", 0, 1.0),
    "maxw": ("longest s", 0, 1.0),
    "aband": ("left %", 1, 100.0),
    "util": ("occupancy %", 1, 100.0),
}


def as_answer(answer: Answer) -> dict[str, Any]:
    """Return a what-if as plain data: measures are [mean, half-width of the 95 % interval]."""
    return {name: _outcome(getattr(answer, name)) for name in ("recorded", "same", "changed")}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "agents": outcome.agents,
        "waits": outcome.waits,
        "measures": {
            name: [round(mean, 4), round(half, 4)]
            for name, (mean, half) in outcome.measures.items()
        },
        "course": [
            {
                "begins": point.begins.isoformat(),
                "arrivals": round(point.arrivals, 2),
                "waited": round(point.waited, 1),
                "in_time": round(point.in_time, 4),
                "agents": point.agents,
            }
            for point in outcome.course
        ],
    }


def as_needed(found: Needed) -> dict[str, Any]:
    """Return a staffing answer as plain data, the largest group first."""
    kinds = sorted(
        {*found.kinds, *found.present}, key=lambda kind: (-found.kinds.get(kind, 0), str(kind))
    )
    return {
        "kept": found.kept,
        "reached": found.reached,
        "recorded": found.recorded,
        "tried": found.tried,
        "kinds": [
            {
                "count": found.kinds.get(kind, 0),
                "present": found.present.get(kind, 0),
                "skills": dict(kind.skills),
                "families": sorted(kind.families),
            }
            for kind in kinds
        ],
    }


def table(answer: Answer) -> str:
    """Return a plain table: how it was, played as it was staffed, and with the changes."""
    rows = [["", "agents", "waits", *(_HEADINGS[name][0] for name in SHOWN)]]
    for label, outcome in (
        ("as recorded", answer.recorded),
        ("played as staffed", answer.same),
        ("with the changes", answer.changed),
    ):
        cells = [label, str(outcome.agents), str(outcome.waits)]
        for name in SHOWN:
            _heading, places, factor = _HEADINGS[name]
            mean, half = outcome.measures[name]
            cells.append(f"{mean * factor:.{places}f}±{half * factor:.{places}f}")
        rows.append(cells)
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
