"""One invented day: everything that chance decides is drawn here, in a fixed order.

The same scenario and seed give the same arrivals, skills, patience and work, so that two policies
meet identical days. Only numpy's PCG64 is used.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router.sim.rates import Rates, draw_forecast, plan_rates
from router.sim.scenario import (
    COMPLAINT,
    LANG2,
    LINE_A,
    LINE_B,
    SKILLS,
    TOPICS,
    Scenario,
)
from router.sim.staff import Flags, Levels, Reals, Staff, draw_staff
from router.sim.tables import Fit, fit_tables

NORMAL, VIP, COMPLAINS = 0, 1, 2
#: The stream of chance is this program's own, whatever the seed is used for elsewhere.
_STREAM = 20240618
#: Work that is repeated because of transfers and escalations, when capacity is planned.
_REWORK = 1.04
#: Who is more negative than this counts as upset; which of three lines is the second product's.
_UPSET, _SECOND_LINE = 0.8, 2

Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """Who comes: one row a conversation, in the order of arrival.

    ``patience``, ``work`` and ``luck`` (six uniforms) are hidden from every policy. ``kind`` is
    normal, VIP or complaint; ``previous`` the agent who knows them or −1.
    """

    arrival: Reals
    channel: Levels
    kind: Levels
    topic: Levels
    needs: Levels
    target: Reals
    weight: Reals
    patience: Reals
    work: Reals
    previous: Numbers
    luck: Reals
    upset: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A scenario with one seed: agents, customers, and the forecast that policies may read.

    ``wanted`` lists the distinct need vectors; ``fit`` compares each with each agent;
    ``wanted_of[c, level]`` is the row for conversation c as a complaint of that level (0–2).
    ``forecast[quarter, channel, kind]`` is in arrivals a second.
    """

    scenario: Scenario
    seed: int
    horizon: float
    staff: Staff
    customers: Customers
    wanted: Levels
    wanted_of: Numbers
    fit: Fit
    forecast: Reals


def slowed(weight: Reals, gamma: float) -> Reals:
    """Return the part of an agent's time that a second of work takes at full concurrency."""
    return gamma + (1 - gamma) * weight


def draw_day(scenario: Scenario, seed: int) -> Day:
    """Draw the day."""
    streams = np.random.SeedSequence([seed, _STREAM]).spawn(4)
    of_staff, of_arrivals, of_customers, of_forecast = (
        np.random.Generator(np.random.PCG64(stream)) for stream in streams
    )
    mix = np.array(scenario.channel_mix, float)
    mix /= mix.sum()
    effort = mix * slowed(np.array(scenario.channel_weight), scenario.gamma) * scenario.work_mean
    staff = draw_staff(
        scenario, of_staff, load_share=float(effort[0] / effort.sum()), has_voice=bool(mix[0] > 0)
    )
    horizon = scenario.hours * 3600.0
    capacity = scenario.load * scenario.agents * staff.share_on_shift(horizon)
    rates = plan_rates(scenario, capacity / (float(effort.sum()) * _REWORK) * 60.0, mix)
    arrival, channel, complains = _draw_arrivals(scenario, of_arrivals, rates)
    customers, drawn = _draw_customers(
        scenario, of_customers, arrival=arrival, channel=channel, complains=complains
    )
    wanted, wanted_of = _types(customers)
    fit = fit_tables(wanted, staff.levels)
    _draw_previous(customers, staff, fit, wanted_of[:, 0], *drawn)
    return Day(
        scenario=scenario,
        seed=seed,
        horizon=horizon,
        staff=staff,
        customers=customers,
        wanted=wanted,
        wanted_of=wanted_of,
        fit=fit,
        forecast=draw_forecast(scenario, of_forecast, rates),
    )


def _draw_arrivals(
    scenario: Scenario, chance: np.random.Generator, rates: Rates
) -> tuple[Reals, Levels, Reals]:
    """Return when and where conversations arrive, and how likely each is a complaint."""
    day = np.exp(chance.normal(0, scenario.day_cv) - scenario.day_cv**2 / 2)
    counts = chance.poisson(rates.actual * day)
    times, channels, shares = [], [], []
    for minute, row in enumerate(counts):
        for channel, count in enumerate(row):
            if count:
                times.append(minute * 60 + 60 * chance.random(count))
                channels.append(np.full(count, channel))
                shares.append(np.full(count, rates.complaints[minute, channel]))
    if not times:
        return np.zeros(0), np.zeros(0, np.int8), np.zeros(0)
    arrival = np.concatenate(times)
    order = np.argsort(arrival, kind="stable")
    channel_of = np.concatenate(channels).astype(np.int8)
    return arrival[order], channel_of[order], np.concatenate(shares)[order]


def _draw_customers(
    scenario: Scenario,
    chance: np.random.Generator,
    *,
    arrival: Reals,
    channel: Levels,
    complains: Reals,
) -> tuple[Customers, tuple[Flags, Reals]]:
    """Return the customers, and who has a previous agent and which (drawn, not yet looked up)."""
    count = len(arrival)
    topics = np.array(scenario.topic_mix) / np.array(scenario.topic_mix).sum()
    topic = chance.choice(len(TOPICS), count, p=topics).astype(np.int8)
    lines = np.array(scenario.line_mix) / sum(scenario.line_mix)
    line = chance.choice(3, count, p=lines).astype(np.int8)
    second_language = chance.random(count) < scenario.lang2_share
    complaint = chance.random(count) < complains
    vip = (chance.random(count) < scenario.vip_share) & ~complaint
    least = 1 + chance.choice(4, count, p=scenario.topic_min).astype(np.int8)
    least = np.where(vip, np.minimum(4, least + 1), least).astype(np.int8)
    target = np.array(scenario.target)[channel]
    target = np.where(vip, np.minimum(target, scenario.target_vip), target)
    target = np.where(complaint, scenario.target_complaint, target)
    upset = chance.random(count) > _UPSET
    weight = np.array(scenario.weight)[channel]
    weight = np.where(vip, scenario.weight_vip, weight)
    weight = np.where(complaint, scenario.weight_complaint, weight)
    weight = weight * np.where(complaint | vip, 1.0, 1.0 + 0.5 * upset)
    mean = np.array(scenario.patience_mean)[channel]
    mean = mean * np.where(complaint, scenario.complaint_patience_x, 1.0)
    if scenario.patience_dist == "exp":
        patience = chance.exponential(1.0, count) * mean
    else:
        patience = np.exp(chance.normal(0, 1.0, count) - 0.5) * mean
    variance = np.log(1 + scenario.work_cv**2)
    work = np.exp(chance.normal(0, np.sqrt(variance), count) - variance / 2)
    work = work * np.array(scenario.work_mean)[channel]
    work = np.clip(work, 20, 3600) * np.where(complaint, 1.3, 1.0)
    known, which = chance.random(count) < scenario.sticky_share, chance.random(count)
    luck = chance.random((count, 6))
    customers = Customers(
        arrival=arrival,
        channel=channel,
        kind=np.where(complaint, COMPLAINS, np.where(vip, VIP, NORMAL)).astype(np.int8),
        topic=topic,
        needs=_needs(topic, least, line, second_language=second_language, complaint=complaint),
        target=target,
        weight=weight,
        patience=patience,
        work=work,
        previous=np.full(count, -1, np.int32),
        luck=luck,
        upset=upset & ~(complaint | vip),
    )
    return customers, (known, which)


def _needs(
    topic: Levels, least: Levels, line: Levels, *, second_language: Flags, complaint: Flags
) -> Levels:
    needs = np.zeros((len(topic), len(SKILLS)), np.int8)
    needs[np.arange(len(topic)), topic] = least
    needs[line == 1, LINE_A] = 2
    needs[line == _SECOND_LINE, LINE_B] = 2
    needs[second_language, LANG2] = 3
    needs[complaint, COMPLAINT] = 2
    return needs


def _types(customers: Customers) -> tuple[Levels, Numbers]:
    """Return the distinct need vectors, complaints' later levels included, and who has which."""
    complaint = customers.kind == COMPLAINS
    stack = [customers.needs]
    for level in (3, 4):
        raised = customers.needs[complaint].copy()
        raised[:, COMPLAINT] = level
        stack.append(raised)
    wanted, inverse = np.unique(np.concatenate(stack), axis=0, return_inverse=True)
    inverse = inverse.ravel()
    count, complaints = len(complaint), int(complaint.sum())
    wanted_of = np.repeat(inverse[:count, None], 3, axis=1).astype(np.int32)
    wanted_of[complaint, 1] = inverse[count : count + complaints]
    wanted_of[complaint, 2] = inverse[count + complaints :]
    return wanted, wanted_of


def _draw_previous(  # noqa: PLR0917
    customers: Customers, staff: Staff, fit: Fit, kinds: Numbers, known: Flags, which: Reals
) -> None:
    """Give some customers a previous agent: one who could have served this conversation."""
    for digital in (False, True):
        serves = staff.serves[:, int(digital)]
        for kind in np.unique(kinds):
            asking = np.where(known & (kinds == kind) & ((customers.channel > 0) == digital))[0]
            could = np.where((fit.level[kind] <= 1) & serves)[0]
            if len(asking) and len(could):
                customers.previous[asking] = could[(which[asking] * len(could)).astype(int)]
