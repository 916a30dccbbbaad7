"""moment: where and when a fast window is taken on a living line, and in what state the machine is then."""
from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from generators.traces.sensor import MAX_VALUES
from scenes.errors import InputError, SceneError
from scenes.line.couplings import SETPOINTS
from scenes.line.model import Line, Run, Sensor, StationFlow
from scenes.line.quantities import quantity
from scenes.line.streams import stream


@dataclass(frozen=True, eq=False)
class Moment:
    """One window of one sensor."""
    line: Line
    station: StationFlow
    sensor: Sensor
    start: float                               # [s] of the run
    seconds: float                             # length
    work: tuple[float, float]                  # [s] of the run: begin and end of the unit's work at the station
    severity: Mapping[str, float]              # [1] by drift id, of the station's drifts
    renewals: Mapping[str, int]                # parts put in since the run began, by drift id
    seed: int

    @property
    def module(self) -> str:
        """Of the sensor: "zone7"; "" where its channel has none."""
        return "/".join(self.sensor.channel.split("/")[1:-1])

    @property
    def kind(self) -> str:
        """What is measured, without station and number: "zone*/blower_acceleration". Raises SceneError for what is not."""
        return quantity(self.sensor.channel, self.station.kind).pattern

    @property
    def count(self) -> int:
        """Readings in the window. Raises InputError for none, or too many."""
        found = round(self.seconds * self.sensor.window_rate)
        if not 1 <= found <= MAX_VALUES:
            raise InputError(f"{self.sensor.channel}: {self.seconds:g} s at {self.sensor.window_rate:g} Hz is not 1 to "
                             f"{MAX_VALUES} values; change the length of the window, or window_rate_hz")
        return found

    def drifts(self, kind: str, module: str | None = None) -> dict[str, float]:
        """Drifts of a kind at the station, by id, with their severity [1]; of one module only where it is given."""
        return {d.id: self.severity[d.id] for d in self.line.drifts
                if d.station == self.station.station and d.kind == kind and module in (None, d.module)}

    def specimen(self, drift: str) -> np.random.Generator:
        """Random numbers of the part that a drift wears down: the same for every window until it is renewed."""
        return stream(self.seed, "specimen", drift, str(self.renewals.get(drift, 0)))

    def rng(self) -> np.random.Generator:
        """Random numbers of this window: of the sensor, and of what it alone meets."""
        return stream(self.seed, "window", self.sensor.channel, repr(self.start))

    def machine(self) -> np.random.Generator:
        """Random numbers of the module then: the same for all its sensors, whatever they measure and how often."""
        return stream(self.seed, "machine", f"{self.station.station}/{self.module}", repr(self.start))


def moments(run: Run, unit: int, station: str, seed: int, seconds: float = 1.0,
            until: float = math.inf) -> tuple[Moment, ...]:
    """The windows that a unit's stay at a station asks for: one per sensor with a ``window_rate``, in the line's order.

    A window lies in the middle of the unit's work; in an oven, where the unit passes the middle of the sensor's zone. One that
    would reach beyond ``until`` [s] ends there. None where the unit did not visit the station, or where ``until`` is earlier
    than a window is long.

    Raises:
        SceneError: the line has no such station.
    """
    line, names = run.line, [s.station for s in run.line.stations]
    if station not in names:
        raise SceneError(f"windows: no station '{station}' on {line.path}; known: {', '.join(names)}")
    column = names.index(station)
    begin, end = float(run.start[unit, column]), float(run.finish[unit, column])
    fast = [s for s in line.sensors if s.station == station and s.window_rate > 0]
    if not fast or until < seconds or not (np.isfinite(begin) and np.isfinite(end)):
        return ()
    past = run.events[:bisect_right(run.events, end, key=lambda e: e.time)]
    renewed = [(e.drift, e.time + e.duration) for e in past
               if e.drift and e.station == station and e.kind in ("repair", "maintenance")]
    own = [(i, d.id) for i, d in enumerate(line.drifts) if d.station == station]
    found = []
    for sensor in fast:
        middle = begin + _way(sensor) * (end - begin)
        start = max(min(middle - seconds / 2, until - seconds), 0.0)
        row = run.severity_at(start)
        found.append(Moment(line, line.station(station), sensor, start, seconds, (begin, end), {d: float(row[i]) for i, d in own},
                            {d: sum(which == d and time <= start for which, time in renewed) for _, d in own}, seed))
    return tuple(found)


def _way(sensor: Sensor) -> float:
    """Where on its way through the station the unit is nearest to the sensor [1]: zones are of one length."""
    number = re.search(r"/zone([0-9]+)/", sensor.channel)
    return 0.5 if number is None else (int(number[1]) - 0.5) / len(SETPOINTS)


__all__ = ["Moment", "moments"]
