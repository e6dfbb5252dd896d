"""How far the routing policy is from the best there can be, in centres small enough to know it."""

import json
from dataclasses import asdict

import click

from router.settings.load import load
from router.sim.small import CENTRES, gap


@click.command()
@click.option(
    "--centre",
    "numbers",
    multiple=True,
    type=click.IntRange(1, len(CENTRES)),
    help="Only the centre of this number, from 1; may be repeated.",
)
@click.option("--json", "as_data", is_flag=True, help="Print the figures as JSON.")
def optimum(*, numbers: tuple[int, ...], as_data: bool) -> None:
    """Print what a conversation costs at best, under our policy and by strict priority.

    Small centres as Markov decision processes, reckoned exactly; see docs/SIMULATION.md.
    """
    policy = load(environ={}).policy
    found = []
    for number in numbers or range(1, len(CENTRES) + 1):
        each = gap(CENTRES[number - 1], policy)
        found.append(each)
        if not as_data:
            click.echo(
                f"{each.name}: {each.states} states; optimum {each.best:.4f}, ours "
                f"{each.ours:.4f} ({each.above:+.2%}), strict priority {each.priority:.4f} "
                f"({each.priority_above:+.1%})"
            )
    mean = sum(each.above for each in found) / len(found)
    if as_data:
        centres = [{**asdict(each), "above": each.above} for each in found]
        click.echo(json.dumps({"centres": centres, "mean_above": mean}))
        return
    click.echo(f"ours is {mean:.2%} above the optimum on the mean")
