"""choice: which unit of a run each sample shows. A pure function of run, outcomes and quotas; ``count`` has no part in it.

Every quota first takes its units, those with the fewest candidates first; what is left serves the free samples. Candidates
are taken in an order by lot, each unit once, so a unit is never in two samples and never in two splits. Where that leaves a quota
short, units are shared out anew by a greatest flow: quotas are refused only where no choice meets them all.
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
    taken = _fewest_first(schedule.cells, candidates, len(run.start))
    if taken is None:
        taken = _flow(schedule.cells, candidates, order)
    for cell, units in zip(schedule.cells, taken, strict=True):
        if len(units) < cell.count:
            raise RecipeError(f"scenario: {_words(cell)}: {cell.count} units asked, {len(units)} there are; "
                              "ask for fewer, raise 'scenario.hours', or let it wear faster (life_factor)")
    used = np.zeros(len(run.start), bool)
    for units in taken:
        used[units] = True
    return Choice(schedule, tuple(taken), order[~used[order]])


def _fewest_first(cells: Sequence[Cell], candidates: Sequence[I64], units: int) -> list[I64] | None:
    """Units of each cell, (count,): the first that are left, beginning with the cell that has the fewest. None: too few left."""
    used = np.zeros(units, bool)
    taken: list[I64] = [np.zeros(0, np.int64)] * len(cells)
    for k in sorted(range(len(cells)), key=lambda k: len(candidates[k])):
        left = candidates[k][~used[candidates[k]]]
        if len(left) < cells[k].count:
            return None
        taken[k] = left[:cells[k].count]
        used[taken[k]] = True
    return taken


def _flow(cells: Sequence[Cell], candidates: Sequence[I64], order: I64) -> list[I64]:
    """Units of each cell, at most as many as it asks for and together as many as there can be, in the order by lot.

    A greatest flow from a source through cells and units to a sink. A matching of single places with units says the same, but
    has an edge for each pair of them: 10¹⁰ where a quota wants 100 000 of as many.
    """
    from scipy.sparse import csr_array  # late: most choices need neither
    from scipy.sparse.csgraph import maximum_flow

    number, first = len(cells), len(cells) + 1                            # node 0 is the source, 1 … C cells, then units, sink
    place = {unit: k for k, unit in enumerate(order.tolist())}
    rows = [np.array([place[u] for u in c.tolist()], np.int32) for c in candidates]
    sink = first + len(order)
    start = np.concatenate([np.zeros(number, np.int32), *(np.full(len(r), k + 1, np.int32) for k, r in enumerate(rows)),
                            np.arange(first, sink, dtype=np.int32)])
    end = np.concatenate([np.arange(1, first, dtype=np.int32), *(r + first for r in rows),
                          np.full(len(order), sink, np.int32)]).astype(np.int32)
    room = np.ones(len(start), np.int32)
    room[:number] = [cell.count for cell in cells]
    flow = maximum_flow(csr_array((room, (start, end)), shape=(sink + 1, sink + 1)), 0, sink).flow
    return [order[np.flatnonzero(flow[[k + 1], :].toarray()[0, first:sink] > 0)] for k in range(number)]


def _candidates(living: Living, cell: Cell, order: I64, defects: Mapping[str, Iterable[int]]) -> I64:
    if cell.defect:
        return order[np.isin(order, np.array(sorted(defects.get(cell.defect, ())), np.int64))]
    d = [drift.id for drift in living.line.drifts].index(cell.drift)
    severity = living.met[order, d]
    return order[(severity >= cell.low) & (severity <= cell.high)]


def _words(cell: Cell) -> str:
    return f"'{cell.defect}'" if cell.defect else f"drift '{cell.drift}' between {cell.low:g} and {cell.high:g}"


__all__ = ["Choice", "choose"]
