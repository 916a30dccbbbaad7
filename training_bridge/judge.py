"""Judge: fresh units against their truth, counted. No report is written here.

Denominators, because field discussions mix them:

* unit: escape = defective units not called / defective units; false call = good units called / good units.
* component opportunity: one part on one unit, seen by a camera. Escape = opportunities with a visible defect not called /
  such opportunities; false call = good opportunities called / good opportunities. A part that merely shows pixels of a
  neighbour's defect is neither; it is counted as "touched" and left out.
"""
from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training_bridge.crops import GOOD, Truth, pictures, truth
from training_bridge.layout import Layout
from training_bridge.model import Model
from training_bridge.score import Verdict, score
from training_bridge.stats import Auroc, Rate, auroc, quantile


@dataclass(frozen=True, eq=False)
class Judged:
    """One unit, its verdict and its truth."""
    index: int
    id: str
    verdict: Verdict
    truth: Truth
    latency: float                             # [s] image → verdict, rendering and decoding left out


def judge(model: Model, rows: Iterable[Any]) -> Iterator[Judged]:
    """Judge a dataset's rows one by one; the verdict is made before the labels are looked at."""
    for row in rows:
        shown = pictures(row)                  # decoded before the clock starts
        start = time.perf_counter()
        verdict = score(model, shown)
        latency = time.perf_counter() - start
        yield Judged(row.index, row.id, verdict, truth(model.layout, row, model.card.classes), latency)


@dataclass(frozen=True)
class Recall:
    """How often one defect was found. ``in_place``: a window that answers for it was called; ``unit``: any window was."""
    defect: str
    in_place: Rate
    unit: Rate
    severity: tuple[float, float] | None       # range seen, in the taxonomy's unit


@dataclass(frozen=True, eq=False)
class Tally:
    """Everything counted over a stream of units."""
    units: int
    escape: Rate                               # units, every defect
    escape_visible: Rate                       # units with at least one defect that a camera sees
    false_call: Rate                           # units
    component_escape: Rate                     # opportunities
    component_false_call: Rate
    touched: int                               # opportunities left out
    recalls: tuple[Recall, ...]                # visible occurrences, by defect
    hidden: tuple[tuple[str, Rate], ...]       # occurrences no camera sees: defect, units called
    hidden_only: int                           # defective units without any visible defect
    auroc: Auroc | None                        # good against all defective units; None where a class is empty
    auroc_visible: Auroc | None                # good against units with a visible defect
    latency: dict[str, float]                  # p50, p99, max [s]


def tally(layout: Layout, judged: Sequence[Judged], classes: Sequence[str]) -> Tally:
    """Count a stream. Raises ValueError where there is no unit."""
    good = [j for j in judged if not j.truth.bad]
    bad = [j for j in judged if j.truth.bad]
    visible = [j for j in bad if not j.truth.hidden_only]
    opportunities = np.sum([_components(layout, j) for j in judged], axis=0)
    scores = [np.array([j.verdict.score for j in group]) for group in (good, bad, visible)]
    seconds = [j.latency for j in judged]
    return Tally(
        len(judged), _missed(bad), _missed(visible), Rate(sum(j.verdict.called for j in good), len(good)),
        Rate(int(opportunities[0]), int(opportunities[1])), Rate(int(opportunities[2]), int(opportunities[3])),
        int(opportunities[4]), tuple(r for name in classes if (r := _recall(name, bad)) is not None),
        tuple((name, rate) for name in classes if (rate := _hidden(name, bad)).trials), len(bad) - len(visible),
        auroc(scores[0], scores[1]) if good and bad else None, auroc(scores[0], scores[2]) if good and visible else None,
        {"p50": quantile(seconds, 0.5), "p99": quantile(seconds, 0.99), "max": max(seconds)})


def _missed(group: Sequence[Judged]) -> Rate:
    return Rate(sum(not j.verdict.called for j in group), len(group))


def _components(layout: Layout, unit: Judged) -> NDArray[np.int64]:
    """Counts over one unit's parts: escapes, with visible defect, false calls, good, touched."""
    count = np.zeros(5, np.int64)
    called = unit.verdict.components(layout)
    visible = {d.component for d in unit.truth.defects if not d.hidden}
    hidden = {d.component for d in unit.truth.defects if d.hidden} - visible
    labels: dict[str, bool] = {}
    for part, label in zip(layout.parts, unit.truth.crop.tolist(), strict=True):
        labels[part] = labels.get(part, True) and label == GOOD
    for part, worst in called.items():
        hit = worst > unit.verdict.threshold
        if part in visible:
            count += [not hit, 1, 0, 0, 0]
        elif labels[part] and part not in hidden:
            count += [0, 0, hit, 1, 0]
        else:
            count += [0, 0, 0, 0, 1]
    return count


def _recall(name: str, bad: Sequence[Judged]) -> Recall | None:
    """Recall over units: one trial per unit that shows this defect."""
    place, unit, severities = [], [], []
    for j in bad:
        mine = [d for d in j.truth.defects if d.defect == name and not d.hidden]
        if not mine:
            continue
        windows = np.concatenate([d.windows for d in mine])
        place.append(bool((j.verdict.logit[windows] > j.verdict.threshold).any()))
        unit.append(j.verdict.called)
        severities += [d.severity for d in mine if np.isfinite(d.severity)]
    if not place:
        return None
    return Recall(name, Rate(sum(place), len(place)), Rate(sum(unit), len(unit)),
                  (min(severities), max(severities)) if severities else None)


def _hidden(name: str, bad: Sequence[Judged]) -> Rate:
    """Units with this defect out of every camera's sight, and how many were called all the same."""
    units = [j for j in bad if any(d.defect == name and d.hidden for d in j.truth.defects)]
    return Rate(sum(j.verdict.called for j in units), len(units))


__all__ = ["Judged", "Recall", "Tally", "judge", "tally"]
