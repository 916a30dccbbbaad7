"""story: everything about a scenario that its samples share: the run, what came of each unit, and what was written down.

It is made once, kept in the dataset's ``meta/line/``, and read by every worker::

    meta/line/    the run (see generators.events.tables)
      found.parquet    every defect of every unit, by the acceptance rules
      log.parquet      what people and machines wrote
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from domain_randomization.living import Living, of_recipe
from domain_randomization.recipe import Recipe
from domain_randomization.scenario import HOUR, line_of
from domain_randomization.streams import stream
from generators.events.found import Found, defects_by_unit, read_found, write_found
from generators.events.outcomes import Call, Outcomes
from generators.events.tables import read_outcomes, read_run, write_run
from generators.text.entry import Entry
from generators.text.logs import write_log
from generators.text.table import read_entries, write_entries
from scenes.errors import ResumeError
from scenes.family import Family
from scenes.scene import Scene

FOLDER = Path("meta") / "line"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Story:
    """A run with its outcome and its log."""
    living: Living
    found: tuple[Found, ...]
    log: tuple[Entry, ...]                     # in the order of time
    calls: tuple[Call, ...] | None = None      # what inspection machines reported; None: nobody was asked

    @cached_property
    def defective(self) -> Mapping[str, tuple[int, ...]]:
        """Units by the defect that they have."""
        units: dict[str, dict[int, None]] = {}
        for item in self.found:
            units.setdefault(item.defect, {})[item.unit] = None
        return {name: tuple(numbers) for name, numbers in units.items()}

    @property
    def outcomes(self) -> Outcomes:
        """As tables and messages want it."""
        return Outcomes(self.calls, defects=defects_by_unit(self.found, len(self.living.run.start)))


def tell(scene: Scene, recipe: Recipe, family: Family, product: Any, progress: Progress | None = None, *,
         inspect: bool = False) -> Story:
    """Run the line, make every unit, write the log; with ``inspect`` let every inspection machine judge every unit it saw."""
    assert recipe.scenario is not None
    living = of_recipe(scene, recipe)
    found: list[Found] = []
    calls: list[Call] = []
    for unit, state, defects in living.made(family, product, progress):
        found += [Found(unit, f.defect, f.host, float(f.severity)) for f in defects]
        if inspect:
            calls += living.calls(family, product, unit, state)
    log = write_log(living.run, stream(recipe.seed, 0, "log"), languages=recipe.scenario.languages,
                    start_of_day=_time_of_day(recipe.clock.start))
    return Story(living, tuple(found), tuple(log), tuple(calls) if inspect else None)


def _time_of_day(start: datetime) -> float:
    """Seconds since midnight, by UTC: the clock that people of the line write by."""
    utc = start.astimezone(UTC)
    return (utc - utc.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()


def is_told(dataset: Path) -> bool:
    """Whether a dataset's folder holds a whole story: the run's file is written last."""
    return (dataset / FOLDER / "run.json").exists()


def write_story(story: Story, dataset: Path, start: datetime) -> None:
    """Into ``meta/line`` of a dataset. Raises StorageError."""
    write_told(story, dataset / FOLDER, start)


def write_told(story: Story, folder: Path, start: datetime) -> None:
    """Into any folder; the run's own file is written last. ``start`` is the moment of its second 0. Raises StorageError."""
    write_found(folder / "found.parquet", story.found)
    write_entries(folder / "log.parquet", story.log)
    write_run(story.living.run, folder, story.outcomes, start=start)


def read_story(dataset: Path, scene: Scene, recipe: Recipe) -> Story:
    """The story of a dataset.

    Raises:
        DatasetError: it is damaged.
        ResumeError: it is of another line, or longer or shorter, than scene and recipe have.
    """
    assert recipe.scenario is not None
    folder = dataset / FOLDER
    run = read_run(folder)
    if run.line != line_of(scene, recipe.scenario) or run.duration != recipe.scenario.hours * HOUR:
        raise ResumeError(f"{folder}: is of another line or another time than {scene.path} and this scenario; "
                          "choose a new folder")
    outcomes = read_outcomes(folder)
    return Story(Living(run, recipe.seed), read_found(folder / "found.parquet", len(run.start)),
                 read_entries(folder / "log.parquet"), None if outcomes is None else outcomes.calls)


__all__ = ["FOLDER", "Story", "is_told", "read_story", "tell", "write_story", "write_told"]
