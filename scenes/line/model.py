"""model: a production line as values: the way of its units, the habits of its machines, what wears, what is measured.

Times are seconds from the start of a run. Severity of a drift is 0 for new and 1 where the part has failed; what it does in
between is the drift's own business (``drifts.py``).
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

EventKind = Literal["state", "fault", "repair", "maintenance", "material", "cleaning", "changeover", "alarm", "shift"]


class State(IntEnum):
    """What a station does, by the codes of SEMI E10 that CFX uses."""
    PRODUCTIVE = 1000
    STANDBY = 2000
    BLOCKED = 2201
    STARVED = 2202
    ENGINEERING = 3000
    SCHEDULED_DOWN = 4000
    UNSCHEDULED_DOWN = 5000
    REPAIR = 5300
    NON_SCHEDULED = 6000


@dataclass(frozen=True)
class Supply:
    """Something that runs out: a refill stops the station once per ``units``."""
    name: str                                  # "paste", "reels", "wipe"
    units: int                                 # made between two refills
    seconds: float                             # [s] that a refill takes
    crew: bool = True                          # an operator does it; False: the machine itself (an under-stencil wipe)


@dataclass(frozen=True)
class StationFlow:
    """How one station treats units."""
    station: str                               # id
    kind: str                                  # as in the scene: "printer", "spi", "placement", "aoi", "reflow", "axi", "test"
    path: str                                  # ISA-95 id
    after: tuple[str, ...]                     # stations that feed it; () for the first
    cycle: float                               # [s] mean time of a unit inside
    cycle_std: float = 0.0                     # [s]
    interval: float = 0.0                      # [s] least time between two units entering: an oven takes many at once
    slots: int = 1                             # units inside at once
    buffer: int = 3                            # places before it, itself excluded
    mtbf: float = math.inf                     # [s] of work between two random stops
    mttr: float = 0.0                          # [s] mean
    share: float = 1.0                         # [1] of the units that it takes; the others pass by
    supplies: tuple[Supply, ...] = ()


@dataclass(frozen=True)
class Drift:
    """One thing that wears or goes astray on one station. ``kind`` is a key of ``drifts.KINDS``."""
    id: str                                    # unique in the line: "nozzle3-wear"
    kind: str
    station: str
    module: str = ""                           # which one: "nozzle3", "zone7"; part of the channel names
    life: float = 0.0                          # [cycles] or [s] of work, by kind, until severity 1 at the mean rate
    life_spread: float = 0.2                   # [1] coefficient of variation of a life from one part to the next
    start: float = 0.0                         # [s] nothing happens before
    initial: float = 0.0                       # [1] severity at the start
    alarm: float = 0.7                         # [1] severity at which the machine warns
    maintain: float = math.inf                 # [1] severity at which maintenance renews it; inf: run to failure
    repair: float = 1800.0                     # [s] that renewing takes
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sensor:
    """One measured channel. What it can measure is in ``quantities`` (``QUANTITIES``); how it errs is here."""
    channel: str                               # "reflow/zone7/temperature", unique in the line
    station: str
    quantity: str
    unit: str
    rate: float = 1.0                          # [Hz] of the history
    low: float = -math.inf                     # range, in ``unit``
    high: float = math.inf
    resolution: float = 0.0                    # step of the quantiser, in ``unit``; 0 for none
    noise: float = 0.0                         # standard deviation, in ``unit``
    dropout: float = 0.0                       # [1] share of readings that get lost
    clock_offset: float = 0.0                  # [s] by which its clock is fast
    window_rate: float = 0.0                   # [Hz] of high-rate windows, 0 for none


@dataclass(frozen=True)
class Changeover:
    """The line stops to be set up for the next lot."""
    units: int                                 # lot size
    seconds: float


@dataclass(frozen=True)
class Line:
    """A whole line. Stations are in topological order."""
    path: str                                  # ISA-95 id
    takt: float                                # [s] between two boards that the loader releases
    stations: tuple[StationFlow, ...]
    drifts: tuple[Drift, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    crew: int = 2                              # people who repair and refill
    changeover: Changeover | None = None
    hours_a_day: float = 24.0                  # of planned work; the rest of the day is NON_SCHEDULED
    days_a_week: int = 7
    stencil: float = 120e-6                    # [m] thickness; the default reads runs that were written before it was told

    def station(self, identity: str) -> StationFlow:
        """By id. Raises KeyError."""
        return next(s for s in self.stations if s.station == identity)


@dataclass(frozen=True)
class Event:
    """Something that happened, other than a unit's way."""
    time: float                                # [s]
    station: str
    kind: EventKind
    code: str                                  # of a state its number; else a word: "jam", "paste", "nozzle_wear", "drift:ID"
    drift: str = ""                            # id of the drift behind it
    unit: int = -1                             # the unit inside, where there is one
    duration: float = 0.0                      # [s] known when it began (a repair's length)
    operator: str = ""
    data: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Run:
    """What one line did. Row u is the u-th unit released; NaN where a unit did not visit a station, or not any more."""
    line: Line
    duration: float                            # [s] simulated
    arrive: F64                                # (U, S) [s] at the buffer before the station
    start: F64                                 # (U, S) [s] work begins
    finish: F64                                # (U, S) [s] work ends
    leave: F64                                 # (U, S) [s] let go: later than finish where the way was blocked
    events: tuple[Event, ...]                  # in the order of time
    times: F64                                 # (T,) [s] at which drifts were looked at
    severity: F64                              # (T, D) [1]
    remaining: F64                             # (T, D) [s] of work, or cycles (by kind), until severity 1: useful life
    since_wipe: I32                            # (U,) boards since the last under-stencil wipe when this one was printed

    def severity_at(self, time: float | F64) -> F64:
        """Severity of every drift at a time, shape (…, D): the value at the last look. Renewals are seen at the next one."""
        at = np.clip(np.searchsorted(self.times, time, side="right") - 1, 0, len(self.times) - 1)
        found: F64 = self.severity[at]
        return found


__all__ = ["Changeover", "Drift", "Event", "EventKind", "Line", "Run", "Sensor", "State", "StationFlow", "Supply"]
