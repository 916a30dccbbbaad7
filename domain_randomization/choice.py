"""choice: which unit of a run each sample shows. A pure function of run, outcomes and quotas; ``count`` has no part in it.

Every quota first takes its units, those with the fewest candidates first; what is left serves the free samples. Candidates
are taken in an order by lot, each unit once, so a unit is never in two samples and never in two splits.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain_randomization.living import Living
from domain_randomization.quotas import Cell, Schedule
from domain_randomization.streams import stream
from scenes.errors import RecipeError

I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Choice:
    """Units by sample."""
    schedule: Schedule
    taken: tuple[I64, ...]                     # per cell, (count,)
    free: I64                                  # (F,) the others that can be shown, by lot

    def unit(self, index: int) -> int:
        """The unit of sample ``index``. Raises RecipeError past the last unit that there is."""
        slot = self.schedule.slot(index)
        if slot is not None:
            return int(self.taken[slot.cell][slot.ordinal])
        turn = self.schedule.free_ordinal(index)
        if turn >= len(self.free):
            raise RecipeError(f"count: the scenario has {len(self.free)} units beside those of its quotas, and sample {index} is "
                              f"the {turn + 1}th that wants one; lower 'count' or raise 'scenario.hours'")
        return int(self.free[turn])


def choose(living: Living, schedule: Schedule, station: str, defects: Mapping[str, Sequence[int]]) -> Choice:
    """Share the units of a run out over quotas and free samples.

    Args:
        station: Only units that it has finished with can be shown.
        defects: Units by the defect that they came out with; asked for where a quota wants one.

    Raises:
        RecipeError: a quota asks for more units than there are.
    """
    run = living.run
    seen = np.flatnonzero(np.isfinite(run.finish[:, living.column(station)]))
    order = stream(living.seed, 0, "units").permutation(seen).astype(np.int64)
    candidates = [_candidates(living, cell, order, defects) for cell in schedule.cells]
    used = np.zeros(len(run.start), bool)
    taken: list[I64] = [np.zeros(0, np.int64)] * len(schedule.cells)
    for k in sorted(range(len(schedule.cells)), key=lambda k: len(candidates[k])):
        cell, left = schedule.cells[k], candidates[k][~used[candidates[k]]]
        if len(left) < cell.count:
            raise RecipeError(f"scenario: {_words(cell)}: {cell.count} units asked, {len(left)} there are; "
                              "ask for fewer, raise 'scenario.hours', or let it wear faster (life_factor)")
        taken[k] = left[:cell.count]
        used[taken[k]] = True
    return Choice(schedule, tuple(taken), order[~used[order]])


def _candidates(living: Living, cell: Cell, order: I64, defects: Mapping[str, Iterable[int]]) -> I64:
    if cell.defect:
        return order[np.isin(order, np.array(sorted(defects.get(cell.defect, ())), np.int64))]
    d = [drift.id for drift in living.line.drifts].index(cell.drift)
    severity = living.met[order, d]
    return order[(severity >= cell.low) & (severity <= cell.high)]


def _words(cell: Cell) -> str:
    return f"'{cell.defect}'" if cell.defect else f"drift '{cell.drift}' between {cell.low:g} and {cell.high:g}"


__all__ = ["Choice", "choose"]
