"""A small invented day for the tests: few agents, one hour."""

from pathlib import Path

import msgspec

from router.sim.scenario import Scenario, read_scenario

FOLDER = Path(__file__).parents[2] / "config" / "scenarios"


def shipped(name: str) -> Scenario:
    """Return a scenario that ships with the product."""
    return read_scenario(FOLDER / f"{name}.json")


def a_scenario(**changes: object) -> Scenario:
    """Return a sparse centre of 24 agents for one busy hour."""
    plain = msgspec.structs.replace(
        shipped("d08_small_sparse"), name="small", agents=24, hours=1.0, load=1.0
    )
    return msgspec.structs.replace(plain, **changes)
