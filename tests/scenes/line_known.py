"""Queueing systems with known answers, at the loads of the domain reference (6.5) or, for quick runs, at lighter ones.

A case runs the line's own engine and returns (found, standard error by batch means, known). Erlang's C, M/D/1 and M/M/1/K are
the textbook formulas; throughputs of saturated lines with blocking after service come from Markov chains.
"""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from scenes.line.queues import Stage, batch_means, simulate_queue, throughput, time_average
from scenes.line.streams import Sampler, exponential

Found = tuple[float, float, float]


def constant(value: float) -> Sampler:
    return lambda rng, n: np.full(n, value)


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c; ``load`` = λ/µ."""
    terms = [load**k / math.factorial(k) for k in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


def in_system(servers: int, load: float) -> float:
    """L of M/M/c."""
    return load + erlang_c(servers, load) * load / (servers - load)


def many_servers(seed: int, servers: int, rate: float, units: int) -> Found:
    """M/M/c: time in the system, W = L / λ."""
    path = simulate_queue([Stage(exponential(1.0), servers)], units, np.random.default_rng(seed), exponential(1 / rate))
    return *batch_means(path.leave[:, 0] - path.arrive[:, 0]), in_system(servers, rate) / rate


def fixed_service(seed: int, rate: float, units: int) -> Found:
    """M/D/1: time in the system, Wq = ρ / 2(1 − ρ)."""
    path = simulate_queue([Stage(constant(1.0))], units, np.random.default_rng(seed), exponential(1 / rate))
    return *batch_means(path.leave[:, 0] - path.arrive[:, 0]), 1 + rate / (2 * (1 - rate))


def finite_room(seed: int, rate: float, room: int, units: int) -> tuple[Found, Found, Found]:
    """M/M/1/K, K places of which one is the server's: number in the system, units through per second, time in the system."""
    path = simulate_queue([Stage(exponential(1.0), buffer=room - 1)], units, np.random.default_rng(seed), exponential(1 / rate),
                          lose=True)
    arrive, leave = path.arrive[~path.turned_away, 0], path.leave[~path.turned_away, 0]
    weights = rate ** np.arange(room + 1)
    number = float((np.arange(room + 1) * weights).sum() / weights.sum())
    through = float(rate * (1 - weights[-1] / weights.sum()))
    return ((*time_average(arrive, leave), number), (*throughput(leave), through),
            (*batch_means(leave - arrive), number / through))


def tandem(seed: int, rate: float, rates: tuple[float, ...], units: int) -> Found:
    """Jackson's tandem: time in the whole, the sum over M/M/1."""
    path = simulate_queue([Stage(exponential(1 / mu)) for mu in rates], units, np.random.default_rng(seed), exponential(1 / rate))
    return *batch_means(path.leave[:, -1] - path.arrive[:, 0]), sum(1 / (mu - rate) for mu in rates)


def saturated(seed: int, rates: tuple[float, ...], buffer: int, known: float, units: int) -> Found:
    """Exponential stations in a row, always another unit at the door: throughput."""
    stages = [Stage(exponential(1 / mu), buffer=buffer if k else 0) for k, mu in enumerate(rates)]
    return *throughput(simulate_queue(stages, units, np.random.default_rng(seed)).leave[:, -1]), known


def unreliable(seed: int, buffer: float, known: float, cycle: float, units: int) -> Found:
    """Machines of one fixed cycle with operation-dependent failures: share of the cycle rate that gets out.

    The formula lets one machine fail at a time; a cycle that is short against (60, 45, 90) makes that so.
    """
    stages = [Stage(constant(cycle), buffer=buffer if k else 0, stops=exponential(up), repair=constant(down))
              for k, (up, down) in enumerate(((60.0, 5.0), (45.0, 4.0), (90.0, 8.0)))]
    rate, error = throughput(simulate_queue(stages, units, np.random.default_rng(seed)).leave[:, -1])
    return rate * cycle, error * cycle, known


CASES: dict[str, Callable[[int], Found]] = {
    "M/M/1": lambda seed: many_servers(seed, 1, 0.2, 180_000),
    "M/M/2": lambda seed: many_servers(seed, 2, 0.5, 125_000),
    "M/M/3": lambda seed: many_servers(seed, 3, 1.0, 125_000),
    "M/D/1": lambda seed: fixed_service(seed, 0.5, 140_000),
    "M/M/1/5 throughput": lambda seed: finite_room(seed, 0.8, 5, 100_000)[1],
    "M/M/1/5 time": lambda seed: finite_room(seed, 0.4, 5, 280_000)[2],
    "Jackson tandem": lambda seed: tandem(seed, 0.2, (1.0, 0.8, 0.7), 110_000),
    "blocking 2, b = 0": lambda seed: saturated(seed, (1.0,) * 2, 0, 2 / 3, 60_000),
    "blocking 2, b = 1": lambda seed: saturated(seed, (1.0,) * 2, 1, 3 / 4, 60_000),
    "blocking 2, b = 5": lambda seed: saturated(seed, (1.0,) * 2, 5, 7 / 8, 60_000),
    "blocking 3, b = 0": lambda seed: saturated(seed, (1.0,) * 3, 0, 22 / 39, 45_000),
    "blocking 4, b = 0": lambda seed: saturated(seed, (1.0,) * 4, 0, 0.514775, 40_000),
    "unreliable": lambda seed: unreliable(seed, 0, 0.792952, 0.5, 130_000),
}
"""Quick ones: four standard errors are at most 2 % of the answer."""

MORE: dict[str, Callable[[int], Found]] = {
    "blocking 2, b = 2": lambda seed: saturated(seed, (1.0,) * 2, 2, 4 / 5, 60_000),
    "blocking 2, b = 3": lambda seed: saturated(seed, (1.0,) * 2, 3, 5 / 6, 60_000),
    "blocking 3, b = 1": lambda seed: saturated(seed, (1.0,) * 3, 1, 0.670466, 45_000),
    "blocking 3, b = 2": lambda seed: saturated(seed, (1.0,) * 3, 2, 0.734017, 50_000),
    "blocking 5, b = 0": lambda seed: saturated(seed, (1.0,) * 5, 0, 0.485798, 30_000),
    "blocking µ = 1, 1.2, b = 3": lambda seed: saturated(seed, (1.0, 1.2), 3, 0.899294, 60_000),
    "unreliable, endless buffers": lambda seed: unreliable(seed, math.inf, 0.918367, 0.5, 75_000),
}
"""The reference's other rows."""

HEAVY: dict[str, tuple[Callable[[int], Found], float]] = {
    "M/M/1, ρ = 0.8": (lambda seed: many_servers(seed, 1, 0.8, 100_000), 5.0),
    "M/M/2, λ = 1.5": (lambda seed: many_servers(seed, 2, 1.5, 60_000), 1 + 1.28571),
    "M/M/3, λ = 2.4": (lambda seed: many_servers(seed, 3, 2.4, 60_000), 1 + 2.58876 / 2.4),
    "M/D/1, ρ = 0.8": (lambda seed: fixed_service(seed, 0.8, 60_000), 3.0),
    "M/M/1/5, ρ = 0.8": (lambda seed: finite_room(seed, 0.8, 5, 20_000)[0], 1.86833),
    "Jackson, λ = 0.5": (lambda seed: tandem(seed, 0.5, (1.0, 0.8, 0.7), 30_000), 10.3333),
}
"""The reference's heavy loads, with its printed answers: long waits, so means over many runs."""
