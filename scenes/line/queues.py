"""queues: the machines and buffers of a line under textbook conditions, where the answer is known in closed form.

    path = simulate_queue((Stage(exponential(1.0)),), 100_000, rng, arrivals=exponential(2.0))
    mean, error = batch_means(path.start[:, 0] - path.arrive[:, 0])

It is the engine of ``flow.py`` itself, ``machine.Machine`` and ``buffers.Buffer``, with other samplers; no formula is in it.
Begins and ends empty.
"""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat

import numpy as np
import simpy
from numpy.typing import NDArray

from scenes.line.buffers import ARRIVE, FINISH, LEAVE, START, Unit
from scenes.line.clock import Steps
from scenes.line.machine import Machine, Stops
from scenes.line.routing import Plan, send
from scenes.line.streams import Sampler, draws, stream

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Stage:
    """One station of a queueing network in a row. Samplers draw seconds."""
    service: Sampler
    servers: int = 1
    buffer: float = math.inf                   # places before it, the servers excluded
    stops: Sampler | None = None               # [s] of work between two stops; None: it never fails
    repair: Sampler | None = None              # [s]


@dataclass(frozen=True, eq=False)
class Path:
    """What happened to U units at S stages. Rows of units that were turned away at the door are NaN."""
    arrive: F64                                # (U, S) [s]
    start: F64
    finish: F64
    leave: F64
    turned_away: NDArray[np.bool_]             # (U,)


def simulate_queue(stages: Sequence[Stage], units: int, rng: np.random.Generator, arrivals: Sampler | None = None, *,
                   lose: bool = False) -> Path:
    """Send units through a row of stages and wait until all have left.

    Args:
        stages: In the order of the units' way.
        units: How many are sent, those turned away included.
        rng: Draws once, for a root seed.
        arrivals: Time between two arrivals; None: there is always another unit at the door (a saturated line).
        lose: A unit that finds no place is turned away; else it waits at the door.
    """
    root, plan = int(rng.integers(2**63)), Plan(simpy.Environment())
    machines = []
    for k, stage in enumerate(stages):
        stops = None
        if stage.stops is not None and stage.repair is not None:
            stops = Stops(draws(stage.stops, stream(root, str(k), "stop")), draws(stage.repair, stream(root, str(k), "repair")),
                          repeat("stop"))
        machines.append(Machine(plan, k, str(k), draws(stage.service, stream(root, str(k), "service")), buffer=stage.buffer,
                                slots=stage.servers, stops=stops))
    for machine, follower in pairwise(machines):
        machine.followers = (follower,)
    sent: list[Unit] = []
    gaps = draws(arrivals, stream(root, "door")) if arrivals is not None else None
    plan.env.process(_door(plan, machines[0], len(stages), units, gaps, lose, sent))
    plan.env.run()
    table = np.array([u.times for u in sent], dtype=np.float64).reshape(units, len(stages), 4)
    arrive, start, finish, leave = (np.ascontiguousarray(table[:, :, k]) for k in (ARRIVE, START, FINISH, LEAVE))
    return Path(arrive, start, finish, leave, np.isnan(arrive[:, 0]))


def _door(plan: Plan, first: Machine, stages: int, units: int, gaps: Iterator[float] | None, lose: bool,
          sent: list[Unit]) -> Steps:
    for number in range(units):
        if gaps is not None:
            yield plan.env.timeout(next(gaps))
        unit = Unit(number, stages)
        sent.append(unit)
        if lose and not first.buffer.accepts():
            continue
        plan.released += 1
        blocked = send(plan, (first,), unit)
        if blocked is not None:
            yield blocked


def batch_means(values: F64, batches: int = 60, skip: float = 0.05) -> tuple[float, float]:
    """Mean and standard error of an autocorrelated series, shape (n,), after a warm-up share of it.

    Means of long batches are nearly independent, so their spread is the error of the whole (Law & Kelton's batch means).
    """
    kept = values[int(len(values) * skip):]
    means = kept[:len(kept) // batches * batches].reshape(batches, -1).mean(axis=1)
    return float(means.mean()), float(means.std(ddof=1) / math.sqrt(batches))


def time_average(enter: F64, leave: F64, batches: int = 60, skip: float = 0.05) -> tuple[float, float]:
    """Mean number inside over time, and its standard error by batches of equal time, between first and last arrival.

    ``enter`` and ``leave`` are shape (n,) [s]. The number inside is a staircase; its integral is exact.
    """
    times, area = _staircase(enter, leave)
    first, last = float(enter.min()), float(enter.max())
    edges = np.linspace(first + skip * (last - first), last, batches + 1)
    means = np.diff(np.interp(edges, times, area)) / np.diff(edges)
    return float(means.mean()), float(means.std(ddof=1) / math.sqrt(batches))


def littles_law(enter: F64, leave: F64) -> tuple[float, float]:
    """Both sides of L = λW on one path that begins and ends empty: (mean number inside, arrival rate × mean stay)."""
    times, area = _staircase(enter, leave)
    span = times[-1] - times[0]
    return float(area[-1] / span), float(len(enter) / span * (leave - enter).mean())


def _staircase(enter: F64, leave: F64) -> tuple[F64, F64]:
    """Times of all steps, shape (2n,), and the integral of the number inside up to each of them."""
    times = np.concatenate([enter, leave])
    order = np.argsort(times, kind="stable")
    times = times[order]
    inside = np.cumsum(np.concatenate([np.ones(len(enter)), -np.ones(len(leave))])[order])
    return times, np.concatenate([[0.0], np.cumsum(inside[:-1] * np.diff(times))])


def throughput(leave: F64, batches: int = 60, skip: float = 0.05) -> tuple[float, float]:
    """Units per second out of a line, shape (n,) of leaving times in order, and its standard error."""
    gap, error = batch_means(np.diff(leave), batches, skip)
    return 1.0 / gap, error / gap**2


__all__ = ["Path", "Stage", "batch_means", "littles_law", "simulate_queue", "throughput", "time_average"]
