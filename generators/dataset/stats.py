"""What a dataset holds, counted from its rows: categories, severities, splits, and how far the causes were varied."""
from __future__ import annotations

import math
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from generators.dataset.rows import Row
from generators.dataset.schema import severity_level
from scenes.family import Taxonomy

BINS = 16                                      # of a coverage histogram
_LONG = 4                                      # lists longer than this are arrays of a state, not knobs


class Counter:
    """Adds up rows, one at a time and in index order."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.samples = self.frames = self.good = 0
        self.splits: Tally[str] = Tally()
        self.units: dict[str, set[str]] = {}
        self.categories: dict[str, Tally[str]] = {}
        self.levels: Tally[tuple[str, int, str]] = Tally()
        self.found: list[dict[str, list[float]]] = []      # per sample: defect → severities of its findings
        self.modalities: Tally[str] = Tally()
        self.labels: Tally[str] = Tally()
        self.causes: dict[str, list[float]] = {}

    def add(self, row: Row) -> None:
        self.samples += 1
        self.frames += len(row.frames)
        self.splits[row.split] += 1
        self.units.setdefault(row.split, set()).add(row.unit)
        self.modalities.update(i["modality"] for i in row.data["images"])
        self.labels.update(i["name"] for i in row.data["labels"])
        findings: dict[str, dict[tuple[Any, ...], float]] = {}
        for item in row.instances:
            tally = self.categories.setdefault(item.category, Tally())
            tally["instances"] += 1
            tally["hidden"] += item.hidden
            key = (item.component, item.pads, item.rule, repr(item.severity), tuple(sorted(item.measured.items())))
            findings.setdefault(item.category, {})[key] = item.severity      # seen in two frames, it is one finding
        defects: dict[str, list[float]] = {}
        names = {d.name for d in self.taxonomy.defects}
        for category, items in findings.items():
            self.categories[category]["findings"] += len(items)
            if category in names:
                defects[category] = list(items.values())
                for severity in items.values():
                    self.levels[category, severity_level(self.taxonomy, category, severity), row.split] += 1
        self.found.append(defects)
        self.good += not defects
        for name, value in scalars(row.conditions):
            self.causes.setdefault(name, []).append(value)

    def result(self, asked: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """JSON-ready."""
        order = [d.name for d in self.taxonomy.defects] + list(self.taxonomy.parts)
        return {
            "samples": self.samples, "good_samples": self.good, "frames": self.frames,
            "splits": {s: {"samples": self.splits[s], "units": len(self.units[s])} for s in sorted(self.splits)},
            "modalities": dict(sorted(self.modalities.items())), "labels": dict(sorted(self.labels.items())),
            "categories": {name: {k: self.categories[name][k] for k in ("findings", "instances", "hidden")}
                           for name in order if name in self.categories},
            "levels": [{"defect": d, "level": level, "split": s, "findings": n} for (d, level, s), n
                       in sorted(self.levels.items(), key=lambda x: (order.index(x[0][0]), x[0][1:]))],
            "asked": [{**a, "delivered": self.delivered(a)} for a in asked],
            "coverage": {name: spread(values) for name, values in sorted(self.causes.items()) if min(values) < max(values)},
        }

    def delivered(self, asked: Mapping[str, Any]) -> int:
        """Samples with at least one finding of that defect, in that range of severity where one was asked for."""
        low = -math.inf if asked.get("low") is None else asked["low"]
        high = math.inf if asked.get("high") is None else asked["high"]
        free = low == -math.inf and high == math.inf
        return sum(any(free or low <= severity <= high for severity in found.get(asked["defect"], ())) for found in self.found)


def scalars(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a nested mapping, under its dotted key. Long lists are left out."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield name, float(value)
    elif isinstance(value, Mapping):
        for key in value:
            yield from scalars(value[key], f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and len(value) <= _LONG:
        for i, item in enumerate(value):
            yield from scalars(item, f"{name}[{i}]")


def spread(values: Sequence[float]) -> dict[str, Any]:
    """How one cause was varied: range, mean, and a histogram of BINS equal bins over that range."""
    counts, _ = np.histogram(values, BINS)
    return {"count": len(values), "min": float(min(values)), "max": float(max(values)), "mean": math.fsum(values) / len(values),
            "histogram": [int(n) for n in counts]}


__all__ = ["BINS", "Counter", "scalars", "spread"]
