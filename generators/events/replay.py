"""replay: a run as moments on the wall's clock, for servers that show it live."""
from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generators.events.cfx_names import unit_id
from generators.events.channels import F32, Readings
from generators.events.outcomes import Call, Outcomes, judges
from scenes.errors import InputError
from scenes.line.model import Run, State

PERIOD = 0.5                                   # [s] of the wall's clock between two moments


@dataclass(frozen=True, eq=False)
class Moment:
    """What can be seen of a line at one time."""
    time: float                                # [s] of the run
    values: F32                                # (C,) readings, in the order of ``Scenery.channels``; NaN for none
    states: tuple[int, ...]                    # of each station, codes of SEMI E10
    finished: tuple[int, ...]                  # units that each station has finished so far
    units: tuple[str, ...]                     # identifier of the last one, "" before the first
    calls: tuple[tuple[Call, ...], ...]        # what inspection said about that unit
    severity: NDArray[np.float64]              # (D,) ground truth


class Scenery:
    """A run that can be looked at at any time.

    Args:
        run: What happened.
        readings: Of its sensors; none by default. Channels that the line does not know are left out.
        outcomes: What inspections found, where known.
    """

    def __init__(self, run: Run, readings: Readings | None = None, outcomes: Outcomes | None = None) -> None:
        self.run, self.readings = run, readings
        told = outcomes is not None and outcomes.calls is not None                # whether inspections are known at all
        self.judges = frozenset(s.station for s in judges(run.line) if told)      # whose verdicts are known
        known = {s.channel: s for s in run.line.sensors}
        chosen = [(i, known[c]) for i, c in enumerate(readings.channels if readings is not None else ()) if c in known]
        self._columns = np.array([i for i, _ in chosen], np.int64)
        self.sensors = tuple(s for _, s in chosen)
        self._states = [_states(run, s.station) for s in run.line.stations]
        self._order = [_finishes(run, i) for i in range(len(run.line.stations))]
        self._calls: dict[tuple[int, str], list[Call]] = {}
        for call in (outcomes.calls or ()) if outcomes is not None else ():
            self._calls.setdefault((call.unit, call.station), []).append(call)

    def at(self, moment: float) -> Moment:
        """At a time [s] of the run."""
        states, finished, units, calls = [], [], [], []
        for (times, codes), (ends, rows), station in zip(self._states, self._order, self.run.line.stations, strict=True):
            states.append(int(codes[np.searchsorted(times, moment, side="right")]))
            count = int(np.searchsorted(ends, moment, side="right"))
            finished.append(count)
            last = int(rows[count - 1]) if count else -1
            units.append(unit_id(self.run.line, last) if count else "")
            calls.append(tuple(self._calls.get((last, station.station), ())))
        values = np.empty(0, np.float32) if self.readings is None else self.readings.at(moment)[self._columns]
        severity = self.run.severity_at(moment) if len(self.run.times) else np.zeros(len(self.run.line.drifts))
        return Moment(moment, values, tuple(states), tuple(finished), tuple(units), tuple(calls), severity)


def moments(scenery: Scenery, *, speed: float = 1.0, begin: float = 0.0, end: float = math.inf,
            stop: threading.Event | None = None, progress: Callable[[float, float], None] | None = None,
            period: float = PERIOD) -> Iterator[Moment]:
    """Moments of a run, each when its time has come.

    Args:
        scenery: The run.
        speed: Seconds of the run in a second of the wall's clock.
        begin, end: From and up to here [s]; at most to the end of the run.
        stop: Ends it, at once.
        progress: Told the time and the end [s] at every moment.
        period: Between two moments [s] of the wall's clock.

    Raises:
        InputError: a speed or period that is not positive, or a beginning outside the run.
    """
    last = min(end, scenery.run.duration)
    if not (0 < speed < math.inf and 0 < period < math.inf):
        raise InputError(f"speed {speed}, period {period}: both must be positive and finite")
    if not 0 <= begin <= last:
        raise InputError(f"begin {begin:.0f} s: the run goes from 0 to {last:.0f} s")
    return _paced(scenery, speed, begin, last, stop if stop is not None else threading.Event(), progress, period)


def _paced(scenery: Scenery, speed: float, begin: float, last: float, stopped: threading.Event,
           progress: Callable[[float, float], None] | None, period: float) -> Iterator[Moment]:
    zero = time.monotonic()                    # of the first moment: whoever takes it may need a while to get ready
    count = 0
    while not stopped.is_set():
        now = begin + count * period * speed
        if now > last:
            return
        if stopped.wait(max(0.0, zero + count * period - time.monotonic())):
            return
        yield scenery.at(now)
        if progress is not None:
            progress(now, last)
        count += 1


def _states(run: Run, station: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times of the changes (n,) and states (n + 1,); the first holds before the first change."""
    changes = [(e.time, int(e.code)) for e in run.events if e.kind == "state" and e.station == station]
    return (np.array([t for t, _ in changes], np.float64),
            np.array([int(State.NON_SCHEDULED), *(c for _, c in changes)], np.int64))


def _finishes(run: Run, column: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """When units were finished, in order, and which."""
    rows = np.flatnonzero(~np.isnan(run.finish[:, column]))
    rows = rows[np.argsort(run.finish[rows, column], kind="stable")]
    return run.finish[rows, column], rows


__all__ = ["PERIOD", "Moment", "Scenery", "moments"]
