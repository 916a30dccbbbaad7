"""Quotas: which sample has to show which defect. A pure function of recipe and product, fixed before the first pixel.

The schedule does not look at ``count``. Sample i is a *slot* iff floor((i + 1) f) > floor(i f), f the recipe's
``defective_fraction``; slots are dealt round-robin over the cells (defect × severity range) until each has its share.
Every other sample runs free: the process does what it does, mostly well. So the first N samples stay what they are
when ``count`` is raised.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, cast

from domain_randomization.recipe import UNITS, Quota, Recipe
from domain_randomization.scenario import Scenario
from domain_randomization.streams import stream
from scenes.errors import RecipeError
from scenes.family import Defect, Family

LEVEL_NAMES = ("mild", "moderate", "gross")
GOLDEN_RATIO = (1 + math.sqrt(5)) / 2
SPLITS = ("train", "val", "test")
Split = Literal["train", "val", "test"]


@dataclass(frozen=True)
class Cell:
    """One line of the plan: ``count`` samples with this defect in [low, high] of the taxonomy's unit."""

    defect: str
    level: str                                 # "mild", …; "own range"; "any"
    low: float
    high: float
    count: int
    hosts: tuple[str, ...]                     # reference designators that can show it
    drift: str = ""                            # of a scenario: units made while it was in [low, high]; then no defect is asked


@dataclass(frozen=True)
class Slot:
    """What the quotas ask of one sample."""

    cell: int                                  # index into Schedule.cells
    ordinal: int                               # 0, 1, … within the cell


@dataclass(frozen=True)
class Schedule:
    """Who shows what. ``skipped`` are defects of ``quotas_each`` that no part of this product can show."""

    cells: tuple[Cell, ...]
    fraction: Fraction
    seed: int
    splits: tuple[float, float, float]         # train, val, test
    skipped: tuple[str, ...] = ()

    @cached_property
    def total(self) -> int:
        """Slots that the quotas take."""
        return sum(cell.count for cell in self.cells)

    @cached_property
    def count_needed(self) -> int:
        """The smallest ``count`` in which all quotas are met: ceil(total / fraction)."""
        return 0 if not self.total else math.ceil(Fraction(self.total) / self.fraction)

    @cached_property
    def _dealt(self) -> tuple[Slot, ...]:
        dealt = []
        for ordinal in range(max((c.count for c in self.cells), default=0)):
            dealt += [Slot(k, ordinal) for k, cell in enumerate(self.cells) if ordinal < cell.count]
        return tuple(dealt)

    def slot(self, index: int) -> Slot | None:
        """The slot of sample ``index``, or None where it runs free."""
        before, after = math.floor(index * self.fraction), math.floor((index + 1) * self.fraction)
        return self._dealt[before] if after > before and before < self.total else None

    def free_ordinal(self, index: int) -> int:
        """How many samples before ``index`` run free."""
        return index - min(math.floor(index * self.fraction), self.total)

    def split(self, index: int) -> Split:
        """The split of sample ``index``'s unit: even within each cell, across the cells, and within the free samples.

        Ordinal k of cell c takes the point (start + k φ + c √2) mod 1, φ the golden ratio: every run of k, and every run
        of c, covers [0, 1) evenly (Kronecker's sequence). Free samples have a start of their own.
        """
        slot = self.slot(index)
        if slot is None:
            point = self._starts[0] + self.free_ordinal(index) * GOLDEN_RATIO
        else:
            point = self._starts[1] + slot.ordinal * GOLDEN_RATIO + slot.cell * math.sqrt(2)
        train, val, _ = self.splits
        return cast(Split, SPLITS[0] if point % 1 < train else SPLITS[1] if point % 1 < train + val else SPLITS[2])

    @cached_property
    def _starts(self) -> tuple[float, float]:
        free, quota = stream(self.seed, 0, "split").random(2).tolist()
        return free, quota


def schedule(recipe: Recipe, family: Family, product: Any) -> Schedule:
    """The schedule of a recipe on a product.

    Raises:
        RecipeError: a defect that the family does not know or that no part of the product can show, a level that the
            defect does not have, a unit that does not convert, or more slots than ``count`` holds.
    """
    known = {d.name: d for d in family.taxonomy.defects}
    cells: list[Cell] = []
    for k, quota in enumerate(recipe.quotas):
        where = f"quotas.{k}"
        if quota.defect not in known:
            raise RecipeError(f"{where}.defect: '{quota.defect}' is not a defect of family '{family.name}'; "
                              f"known: {', '.join(known)}")
        hosts = tuple(family.hosts(product, quota.defect))
        if not hosts:
            raise RecipeError(f"{where}.defect: no part of this product can show '{quota.defect}'; "
                              "remove the quota or take another board")
        cells += [Cell(quota.defect, name, low, high, quota.count, hosts)
                  for name, low, high in _ranges(quota, known[quota.defect], where)]
    if recipe.scenario is not None:
        cells += _scenario_cells(recipe.scenario, family)
    skipped = []
    for defect in known.values() if recipe.quotas_each else ():
        hosts = tuple(family.hosts(product, defect.name))
        if not hosts:
            skipped.append(defect.name)
            continue
        levels = _levels(defect) or [("any", -math.inf, math.inf)]
        cells += [Cell(defect.name, name, low, high, recipe.quotas_each, hosts) for name, low, high in levels]
    result = Schedule(tuple(cells), recipe.fraction(), recipe.seed,
                      (recipe.splits.train, recipe.splits.val, recipe.splits.test), tuple(skipped))
    _check_room(recipe, result)
    return result


def _scenario_cells(scenario: Scenario, family: Family) -> list[Cell]:
    """What a scenario asks of the line's own units."""
    known = [d.name for d in family.taxonomy.defects]
    found = [Cell("", "any", cause.min, cause.max, cause.count, (), cause.drift) for cause in scenario.causes]
    for k, came in enumerate(scenario.defects):
        if came.defect not in known:
            raise RecipeError(f"scenario.defects.{k}.defect: '{came.defect}' is not a defect of family '{family.name}'; "
                              f"known: {', '.join(known)}")
        found.append(Cell(came.defect, "any", -math.inf, math.inf, came.count, ()))
    return found


def asked(schedule: Schedule) -> list[dict[str, Any]]:
    """What the quotas ask for, JSON-ready, for the dataset's statistics. An open end of a severity is None."""
    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return [{"defect": c.defect, "level": c.level, "low": finite(c.low), "high": finite(c.high), "count": c.count}
            for c in schedule.cells if c.defect]


def _check_room(recipe: Recipe, result: Schedule) -> None:
    if not result.total:
        return
    if not result.fraction:
        raise RecipeError("defective_fraction: 0 leaves no sample for the quotas; raise it")
    if result.count_needed > recipe.count:
        raise RecipeError(
            f"count: the quotas need {result.total} defective samples, which at defective_fraction "
            f"{recipe.defective_fraction:g} takes count ≥ {result.count_needed}; got {recipe.count}; raise one of the two")


def _levels(defect: Defect) -> list[tuple[str, float, float]]:
    names = LEVEL_NAMES if len(defect.severity_levels) == len(LEVEL_NAMES) else [
        f"level{k + 1}" for k in range(len(defect.severity_levels))]
    return [(name, low, high) for name, (low, high) in zip(names, defect.severity_levels, strict=True)]


def _ranges(quota: Quota, defect: Defect, where: str) -> list[tuple[str, float, float]]:
    """(name, low, high) of each cell of a quota, in the taxonomy's unit."""
    if quota.severity is not None:
        units = UNITS.get(defect.severity_unit, {})
        if quota.severity.unit not in units:
            asked = f"'{defect.name}' has no continuous severity" if not units else f"is not one of {', '.join(units)}"
            raise RecipeError(f"{where}.severity.unit: '{quota.severity.unit}' {asked}; change it")
        factor = units[quota.severity.unit]
        return [("own range", quota.severity.min * factor, quota.severity.max * factor)]
    if quota.levels == "any":
        return [("any", -math.inf, math.inf)]
    levels = _levels(defect)
    if quota.levels == "all":
        return levels or [("any", -math.inf, math.inf)]
    by_name = {level[0]: level for level in levels}
    for name in quota.levels:
        if name not in by_name:
            known: Sequence[str] = list(by_name) or ["any"]
            raise RecipeError(f"{where}.levels: '{defect.name}' has no level '{name}'; known: {', '.join(known)}")
    return [by_name[name] for name in quota.levels]


__all__ = ["LEVEL_NAMES", "SPLITS", "Cell", "Schedule", "Slot", "Split", "asked", "schedule"]
