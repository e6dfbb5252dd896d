"""The commands that measure this machine: how much it reads, takes in and decides, and how fast."""

import click

from router.cli.bench.fanout import fanout
from router.cli.bench.idle import idle
from router.cli.bench.ingest import ingest
from router.cli.bench.mqtt import mqtt
from router.cli.bench.offer import offer
from router.cli.bench.optimum import optimum
from router.cli.bench.reading import reading
from router.cli.bench.route import route
from router.cli.bench.timeline import timeline


@click.group()
def bench() -> None:
    """Measure how fast this machine does the daemon's work; each command says what it measured."""


bench.add_command(ingest)
bench.add_command(reading)
bench.add_command(route)
bench.add_command(offer)
bench.add_command(timeline)
bench.add_command(fanout)
bench.add_command(idle)
bench.add_command(mqtt)
bench.add_command(optimum)
