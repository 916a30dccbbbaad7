"""vacuum: pick-up nozzles on ejectors: the levels they hold, and the waveform of a pick, a hold and a release.

A nozzle's line is one small isothermal volume. Each phase of a cycle (open, held, blown off) is one autonomous equation of
its pressure, solved by ``pneumatics.relax``. Pressures are absolute [Pa] unless a name says ``gauge``; flows [m³/s] are ANR.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from generators.traces.pneumatics import ANR_PRESSURE, ATMOSPHERE, Orifice, flow, relax, rest
from scenes.errors import InputError

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Ejector:
    """A vacuum ejector: suction falls in a straight line with the vacuum it works against. Engineering defaults."""
    vacuum: float = 84e3                       # [Pa] below atmosphere at no flow, from ``best`` supply pressure upwards
    suction: float = 8.2e-5                    # [m³/s ANR] against no vacuum (5 L/min)
    best: float = 450e3 + ATMOSPHERE           # [Pa] supply at which it does best; below, both fall in proportion to the gauge
    consumption: float = 3.5e-9                # [m³/(s·Pa)] conductance of its own jet: what it draws from the supply

    def strength(self, supply: float) -> float:
        """[1] of its best, at a supply pressure [Pa]."""
        return min(max((supply - ATMOSPHERE) / (self.best - ATMOSPHERE), 0.0), 1.0)


_BORE, _LEAK, _BLOW, _EJECTOR = Orifice(7.0e-10, 0.4), Orifice(3.85e-11, 0.5), Orifice(2.0e-10, 0.4), Ejector()


@dataclass(frozen=True)
class Nozzle:
    """One pick-up nozzle with its line. Engineering defaults: −25 kPa open, −80 kPa with a part (domain reference 6.4)."""
    bore: Orifice = _BORE                      # open to the air
    leak: Orifice = _LEAK                      # past a part that it holds: −80 kPa; worn lips leak more
    volume: float = 2e-6                       # [m³] of the line
    blow: Orifice = _BLOW                      # of the valve that blows the part off
    ejector: Ejector = _EJECTOR


@dataclass(frozen=True)
class Cycle:
    """When a head does what, in seconds from the beginning of a window."""
    vacuum_on: float = 0.010
    touch: float = 0.030                       # the nozzle meets the part
    release: float = 0.200                     # vacuum off, blow-off on
    blow_off: float = 0.015                    # how long it blows
    part_leaves: float = 0.210                 # the nozzle is open again


def suction(nozzle: Nozzle, pressure: F64, supply: float) -> F64:
    """Flow [m³/s ANR] that the ejector takes out of the line at a line pressure [Pa], shape as given."""
    strength = nozzle.ejector.strength(supply)
    if strength == 0:
        return np.zeros(np.shape(pressure))
    share = (ATMOSPHERE - np.asarray(pressure, np.float64)) / (nozzle.ejector.vacuum * strength)
    found: F64 = nozzle.ejector.suction * strength * (1 - share)
    return found


def held_vacuum(nozzle: Nozzle, supply: float, path: Orifice | None = None) -> float:
    """Gauge pressure [Pa], negative, of the line at rest while air comes in through ``path`` (the leak past a held part)."""
    return _vacuum_rest(nozzle, supply, path or nozzle.leak) - ATMOSPHERE


def leak_for_vacuum(nozzle: Nozzle, supply: float, gauge: float) -> Orifice:
    """The leak past a held part at which the line rests at ``gauge`` [Pa], negative: the inverse of :func:`held_vacuum`."""
    pressure = ATMOSPHERE + gauge
    unit = float(flow(Orifice(1.0, nozzle.leak.critical), ATMOSPHERE, pressure))
    taken = float(suction(nozzle, np.array(pressure), supply))
    if taken < 0 or gauge >= 0:
        raise InputError(f"vacuum {gauge:g} Pa: the ejector reaches {-nozzle.ejector.vacuum * nozzle.ejector.strength(supply):g} "
                         "Pa; ask for less")
    return Orifice(taken / unit, nozzle.leak.critical)


def placement_pressure(times: ArrayLike, nozzle: Nozzle, supply: float, cycle: Cycle | None = None, *,
                       picked: bool = True) -> F64:
    """Gauge pressure [Pa] of a nozzle's line over one pick, hold and release.

    Args:
        times: [s] from the beginning of a cycle, of one or of several, shape (N,).
        nozzle: With its leak.
        supply: [Pa] at the ejector.
        cycle: When what happens.
        picked: False: there is no part, and the nozzle stays open.

    Returns:
        (N,) negative where it sucks. A vacuum switch set between the open and the held level tells whether there is a part.
    """
    cycle = cycle or Cycle()
    times = np.asarray(times, np.float64)
    held = nozzle.leak if picked else nozzle.bore
    phases = [                                                            # (begin, air way in, ejector on, blow-off on)
        (-math.inf, nozzle.bore, False, False), (cycle.vacuum_on, nozzle.bore, True, False),
        (cycle.touch, held, True, False), (cycle.release, held, False, True),
        (cycle.part_leaves, nozzle.bore, False, True), (cycle.release + cycle.blow_off, nozzle.bore, False, False)]
    ends = [*(p[0] for p in phases[1:]), math.inf]
    out = np.zeros(len(times))
    pressure = ATMOSPHERE
    for (begin, way, sucks, blows), end in zip(phases, ends, strict=True):
        if begin >= end or begin == -math.inf:
            continue
        slope, goal = _line(nozzle, way, sucks, blows, supply)
        inside = np.flatnonzero((times >= begin) & (times < end))
        ask = np.append(times[inside], end if math.isfinite(end) else begin) - begin
        found = relax(slope, pressure, goal, ask)
        out[inside] = found[:-1] - ATMOSPHERE
        pressure = float(found[-1])
    return out


def _line(nozzle: Nozzle, way: Orifice, sucks: bool, blows: bool, supply: float) -> tuple[Callable[[F64], F64], float]:
    """The slope of a nozzle's line in one phase, and where it comes to rest."""
    factor = ANR_PRESSURE / nozzle.volume

    def slope(p: F64) -> F64:
        total = flow(way, ATMOSPHERE, np.minimum(p, ATMOSPHERE)) - flow(way, np.maximum(p, ATMOSPHERE), ATMOSPHERE)
        if sucks:
            total = total - suction(nozzle, p, supply)
        if blows:
            total = total + flow(nozzle.blow, supply, np.minimum(p, supply))
        return factor * total

    if blows:
        return slope, rest(slope, ATMOSPHERE, supply) if supply > ATMOSPHERE else ATMOSPHERE
    return slope, _vacuum_rest(nozzle, supply, way) if sucks else ATMOSPHERE


@lru_cache(maxsize=64)
def _vacuum_rest(nozzle: Nozzle, supply: float, way: Orifice) -> float:
    strength = nozzle.ejector.strength(supply)
    if strength == 0:
        return ATMOSPHERE
    return rest(lambda p: flow(way, ATMOSPHERE, p) - suction(nozzle, p, supply),
                ATMOSPHERE - nozzle.ejector.vacuum * strength, ATMOSPHERE)


__all__ = ["Cycle", "Ejector", "Nozzle", "held_vacuum", "leak_for_vacuum", "placement_pressure", "suction"]
