"""Living: one run of a line, and what every unit met on its way.

Units of a run are numbered as they are released. What a unit met is looked up when each station began to work on it, so a
stencil clogged at ten o'clock is in the units printed at ten, whenever they reach the oven. Settings of the process follow
from that (``scenes.line.couplings``). They are worked out once for a *group* of units: drifts are slow against half an hour.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain_randomization.recipe import Recipe
from domain_randomization.scenario import HOUR, Scenario, line_of
from domain_randomization.streams import stream
from generators.events.outcomes import Call, calls_of, judges
from scenes.family import Family, Finding
from scenes.line.couplings import instrument_drifts, process_drifts
from scenes.line.drifts import KINDS
from scenes.line.flow import simulate_line
from scenes.line.model import Line, Run
from scenes.scene import Scene

F64 = NDArray[np.float64]
STRETCH = 64                                   # units in a row that may share settings: about half an hour
STEP = 0.02                                    # [1] of severity from one unit to the next that ends a stretch: a repair
WIPE_STEP = 4                                  # boards since the last wipe that make no difference


@dataclass(frozen=True, eq=False)
class Living:
    """A run of one line and the seed that it came from. Unit u's own physics comes from the stream ``unit`` of u."""
    run: Run
    seed: int

    @property
    def line(self) -> Line:
        return self.run.line

    def column(self, station: str) -> int:
        """Which column of the run's tables a station is. Raises KeyError."""
        return {s.station: k for k, s in enumerate(self.line.stations)}[station]

    @cached_property
    def met(self) -> F64:
        """Severity of each drift when its station began to work on the unit, (U, D) [1]; of the release where it did not."""
        run, out = self.run, np.zeros((len(self.run.start), len(self.line.drifts)))
        first = np.nanmin(np.where(np.isnan(run.arrive), np.inf, run.arrive), axis=1, initial=np.inf)
        first = np.where(np.isfinite(first), first, run.duration)
        for d, drift in enumerate(self.line.drifts):
            begun = run.start[:, self.column(drift.station)]
            out[:, d] = run.severity_at(np.where(np.isnan(begun), first, begun))[:, d]
        return out

    @cached_property
    def leader(self) -> NDArray[np.int32]:
        """(U,) the unit whose settings each unit is made with: the first of its group.

        A group are units of one stretch that passed the same stations with wear, about as many boards after a wipe.
        """
        run, count = self.run, len(self.run.start)
        repaired = (np.abs(np.diff(self.met, axis=0, prepend=self.met[:1])) > STEP).any(axis=1)
        stretch = np.cumsum(repaired)
        since = np.arange(count) - np.flatnonzero(np.diff(stretch, prepend=-1))[stretch]
        acting = {d.station for d in self.line.drifts if KINDS[d.kind].acts == "process"}
        columns = [k for k, s in enumerate(self.line.stations) if s.station in acting]
        passed = np.isfinite(run.start[:, columns]) @ (1 << np.arange(len(columns), dtype=np.int64))
        keys = np.column_stack([stretch, since // STRETCH, run.since_wipe // WIPE_STEP, passed])
        _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        leader: NDArray[np.int32] = first[group.ravel()].astype(np.int32)
        return leader

    def settings(self, unit: int) -> Mapping[str, float]:
        """Process drifts of a unit by name, as ``Family.process`` takes them."""
        first, names = int(self.leader[unit]), [s.station for s in self.line.stations]
        visited = {name for name, begun in zip(names, self.run.start[first], strict=True) if np.isfinite(begun)}
        return process_drifts(self.line, self.met[first], int(self.run.since_wipe[first]), visited)

    def instruments(self, unit: int) -> Mapping[str, float]:
        """How far lamps, focus and tube had gone when the unit was looked at."""
        return instrument_drifts(self.line, self.met[unit])

    def rng(self, unit: int) -> np.random.Generator:
        """The stream that a unit's physics comes from."""
        return unit_stream(self.seed, unit)

    def made(self, family: Family, product: Any,
             progress: Callable[[int, int], None] | None = None) -> Iterator[tuple[int, Any, tuple[Finding, ...]]]:
        """(unit, its state, its defects) of every unit, group by group: each is made by the whole physics of its family.

        States of a group share their arrays: look at one and let it go.
        """
        order = np.argsort(self.leader, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(self.leader[order])) + 1) if len(order) else []
        done = 0
        for group in groups:
            units = group.tolist()
            process = family.process(product, self.settings(units[0]))
            states = family.simulate_units(product, process, [self.rng(u) for u in units])
            yield from zip(units, states, family.defects(product, states), strict=True)
            done += len(units)
            if progress is not None:
                progress(done, len(order))

    def calls(self, family: Family, product: Any, unit: int, state: Any) -> tuple[Call, ...]:
        """What the inspection machines that the unit came to reported of it, right and wrong, in the condition they were in."""
        found: list[Call] = []
        for station in judges(self.line):
            if not np.isfinite(self.run.start[unit, self.column(station.station)]):
                continue
            condition = {name.rsplit("/", 1)[1]: value for name, value in self.instruments(unit).items()
                         if name.startswith(f"{station.station}/")}
            rng = stream(self.seed, unit, f"inspect/{station.station}")
            found += calls_of(unit, station.station, family.inspect(product, state, station.kind, condition, rng))
        return tuple(found)


def unit_stream(seed: int, unit: int) -> np.random.Generator:
    """What unit ``unit`` of the run with this seed is made from."""
    return stream(seed, unit, "unit")


def live(scene: Scene, scenario: Scenario, seed: int) -> Living:
    """Run the line of a scene for a scenario's hours. The same arguments give the same run."""
    return Living(simulate_line(line_of(scene, scenario), scenario.hours * HOUR, stream(seed, 0, "line")), seed)


def of_recipe(scene: Scene, recipe: Recipe) -> Living:
    """The run that a recipe with a scenario draws its units from."""
    assert recipe.scenario is not None
    return live(scene, recipe.scenario, recipe.seed)


__all__ = ["STEP", "STRETCH", "WIPE_STEP", "Living", "live", "of_recipe", "unit_stream"]
