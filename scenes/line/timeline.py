"""timeline: what a run says, laid out on an even grid of times. Every function is linear in the grid, with no loop over units."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenes.line.couplings import combined
from scenes.line.drifts import parameters
from scenes.line.model import Line, Run, State

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

NON_SCHEDULED = int(State.NON_SCHEDULED)      # the greatest code
DOWN = (int(State.SCHEDULED_DOWN), int(State.UNSCHEDULED_DOWN), int(State.REPAIR), NON_SCHEDULED)


def held(times: F64, at: F64, values: ArrayLike, before: float) -> F64:
    """At every time the value that was set last, (N,); ``before`` until then. ``at`` (E,) rises, with NaN only at its end."""
    at, values = np.asarray(at, np.float64), np.asarray(values, np.float64)
    first, end = np.searchsorted(at, times[[0, -1]], side="right")         # only what is set on the grid is looked at
    if first:
        before = float(values[first - 1])
    where = np.searchsorted(times, at[first:end])
    index = np.cumsum(np.bincount(where, minlength=len(times)))
    found: F64 = np.concatenate([[before], values[first:end]])[index]
    return found


def lagged(times: F64, values: F64, tau: float) -> F64:
    """First-order lag of time constant ``tau`` [s], settled at the first value; exact for values that hold over each step."""
    from scipy.signal import lfilter  # late: it takes a third of a second

    keep = np.exp(-_step(times) / tau)
    found: F64 = lfilter([1 - keep], [1, -keep], values, zi=[keep * values[0]])[0]
    return found


def wander(times: F64, std: float, tau: float, rng: np.random.Generator) -> F64:
    """Stationary first-order noise of this standard deviation and correlation time [s]. Always N standard normals."""
    from scipy.signal import lfilter

    keep = np.exp(-_step(times) / tau)
    z = rng.standard_normal(len(times), dtype=np.float32).astype(np.float64)
    z[1:] *= np.sqrt(1 - keep**2)
    found: F64 = lfilter([std], [1, -keep], z)
    return found


def _step(times: F64) -> float:
    return float(times[1] - times[0]) if len(times) > 1 else 1.0


@lru_cache(maxsize=2)
def _states(run: Run) -> Mapping[str, tuple[F64, F64]]:
    """Station → times and codes of its states."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for event in run.events:
        if event.kind == "state":
            at, code = found.setdefault(event.station, ([], []))
            at.append(event.time)
            code.append(float(event.code))
    return {station: (np.array(at), np.array(code)) for station, (at, code) in found.items()}


@lru_cache(maxsize=64)
def _visits(run: Run, column: int) -> tuple[I64, F64, F64]:
    """Units that a station began in that order, when it began them, and, sorted by itself, when it finished units."""
    start, finish = run.start[:, column], run.finish[:, column]
    seen = np.flatnonzero(np.isfinite(start))
    order = seen[np.argsort(start[seen], kind="stable")]
    return order, start[order], np.sort(finish[np.isfinite(finish)])


@dataclass(frozen=True, eq=False)
class View:
    """One station of a run, on a grid of evenly spaced times (N,) [s]."""
    run: Run
    station: str
    times: F64

    @property
    def line(self) -> Line:
        return self.run.line

    @property
    def column(self) -> int:
        """Of the station in the tables of the run."""
        return [s.station for s in self.line.stations].index(self.station)

    @cached_property
    def state(self) -> F64:
        """SEMI E10 code, (N,)."""
        at, code = _states(self.run).get(self.station, (np.zeros(0), np.zeros(0)))
        return held(self.times, at, code, float(State.STANDBY))

    @cached_property
    def on(self) -> NDArray[np.bool_]:
        """Whether the station is meant to work at all, (N,)."""
        return self.state != State.NON_SCHEDULED

    @cached_property
    def inside(self) -> F64:
        """Units being worked on, (N,); 0 while the station is down."""
        _, start, finish = _visits(self.run, self.column)
        number = np.zeros(len(self.times))
        for at, sign in ((start, 1), (finish, -1)):
            first, end = np.searchsorted(at, self.times[[0, -1]], side="right")
            step = np.bincount(np.searchsorted(self.times, at[first:end]), minlength=len(self.times))
            number += sign * (first + np.cumsum(step))
        codes = np.arange(NON_SCHEDULED + 1)
        number[np.isin(codes, DOWN)[self.state.astype(np.intp)]] = 0.0
        return number

    def units(self) -> tuple[I64, F64]:
        """Units that the station began, in that order, and when, (V,) each: those of the grid and the last one before."""
        order, start, _ = _visits(self.run, self.column)
        first, end = np.searchsorted(start, self.times[[0, -1]], side="right")
        part = slice(max(int(first) - 1, 0), int(end))
        return order[part], start[part]

    def drifts(self, kind: str, module: str = "") -> list[int]:
        """Which drifts of the line are of this kind, at this module of the station."""
        return [i for i, d in enumerate(self.line.drifts) if (d.kind, d.station, d.module) == (kind, self.station, module)]

    def severity(self, drift: int) -> F64:
        """Of one drift at every time, (N,), as at the last look."""
        return held(self.times, self.run.times, self.run.severity[:, drift], float(self.run.severity[0, drift]))

    def condition(self, kind: str, module: str = "") -> F64:
        """Severity of what a kind of drift wears, (N,), or a single 0 where no such drift is."""
        return self._of(kind, module, "", combined)

    def effect(self, kind: str, amount: str, module: str = "") -> F64:
        """A parameter of a kind times severity, likewise: several take from what the others leave."""
        return self._of(kind, module, amount, combined)

    def total(self, kind: str, amount: str, module: str = "") -> F64:
        """The same, where several simply add up."""
        return self._of(kind, module, amount, lambda *parts: np.sum(parts, axis=0))

    def _of(self, kind: str, module: str, amount: str, together: Callable[..., F64]) -> F64:
        found = [self.severity(i) * (parameters(self.line.drifts[i])[amount] if amount else 1.0)
                 for i in self.drifts(kind, module)]
        return together(*found) if found else np.zeros(1)


__all__ = ["DOWN", "View", "held", "lagged", "wander"]
