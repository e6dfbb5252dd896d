"""How many come, minute by minute and channel by channel; and what the forecast says of it."""

from dataclasses import dataclass

import numpy as np

from router.sim.scenario import Scenario
from router.sim.staff import Reals

#: Minutes in one step of the forecast.
_STEP = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Arrivals a minute and channel: as planned, as foreseeable, and as they will be.

    ``complaints`` is the share of complaints a minute and channel.
    """

    planned: Reals
    foreseeable: Reals
    actual: Reals
    complaints: Reals


def plan_rates(scenario: Scenario, total: float, mix: Reals) -> Rates:
    """Return the rates of the day; ``total`` is arrivals a minute at profile 1."""
    minutes = int(scenario.hours * 3600.0 // 60)
    slots = len(scenario.profile)
    width = scenario.hours / slots
    hours = (np.arange(minutes) + 0.5) / 60
    profile = np.interp(hours, np.arange(slots) * width + width / 2, scenario.profile)
    planned = total * profile[:, None] * mix[None, :]
    actual = planned.copy()
    complaints = np.full((minutes, 4), scenario.complaint_share)
    for surge in scenario.surges:
        during = (hours >= surge.t0) & (hours < surge.t1)
        for channel in range(4) if surge.channel is None else (surge.channel,):
            before, share = actual[during, channel].copy(), complaints[during, channel]
            complaining = before * share * surge.complaint_x * surge.x
            others = before * (1 - share) * surge.x
            actual[during, channel] = complaining + others
            complaints[during, channel] = complaining / (complaining + others)
    for outage in scenario.bot_outages:
        during = (hours >= outage.t0) & (hours < outage.t1)
        for channel, kept in enumerate(scenario.bot_deflection):
            actual[during, channel] *= (1 - kept * outage.deflection_x) / (1 - kept)
    foreseeable = actual.copy() if scenario.forecast_sees_surges else planned.copy()
    _break(scenario, actual, hours)
    return Rates(planned=planned, foreseeable=foreseeable, actual=actual, complaints=complaints)


def _break(scenario: Scenario, actual: Reals, hours: Reals) -> None:
    """Move what a dead channel loses to the others, and a part of it back later."""
    for outage in scenario.outages:
        during = np.where((hours >= outage.t0) & (hours < outage.t1))[0]
        lost = actual[during, outage.channel].copy()
        actual[during, outage.channel] = 0
        for other, share in outage.to.items():
            actual[during, other] += lost * share
        after = np.where((hours >= outage.t1) & (hours < outage.t1 + outage.over))[0]
        actual[after, outage.channel] += lost.sum() * outage.back / max(1, len(after))


def draw_forecast(scenario: Scenario, chance: np.random.Generator, rates: Rates) -> Reals:
    """Return the forecast: quarter of an hour × channel × (normal, VIP, complaint), a second."""
    steps = len(rates.actual) // _STEP
    kept = steps * _STEP
    mean = rates.foreseeable[:kept].reshape(steps, _STEP, 4).mean(1) / 60.0
    mean = mean * np.exp(chance.normal(0, scenario.forecast_noise, mean.shape))
    complaints = np.full((steps, 4), scenario.complaint_share)
    if scenario.forecast_sees_surges:
        complaints = rates.complaints[:kept].reshape(steps, _STEP, 4).mean(1)
    others = mean * (1 - complaints)
    vip = others * scenario.vip_share
    return np.stack([others * (1 - scenario.vip_share), vip, mean * complaints], 2)
