"""Prepare: a dataset, decoded once, as arrays that training draws from.

Shapes: U units, L windows, N crops kept. Every crop that shows a defect is kept; of the good ones as many per unit as
``BUDGET`` allows, drawn by the unit's own stream, so that a larger dataset costs variety per unit, not memory.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import DatasetError
from training_bridge.crops import GOOD, Truth, extract, pictures, truth
from training_bridge.layout import CROP, Layout, taught
from training_bridge.references import References, learn, pool, usual

BUDGET = 1 << 29           # bytes of training crops held in memory; their golden references take as much again
LEAST = 8                  # good crops per unit, however large the dataset
TEACHERS = 80              # training units that the layout is taught from
USED = ("train", "val")
COLUMNS = ("id", "index", "split", "frames", "images", "instances")
MEASURED = 48              # good crops per window that its usual salience is taken from
VAL_EVERY = 6              # where a dataset has no "val" split, every 6th training unit takes its place

I64 = NDArray[np.int64]
Decoded = tuple[Any, NDArray[np.uint8], NDArray[np.bool_], Truth]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What training draws from."""
    layout: Layout
    references: References
    classes: tuple[str, ...]
    crops: NDArray[np.uint8]                   # (N, 3, CROP, CROP)
    golden: NDArray[np.uint8]                  # (N, 3, CROP, CROP) what a good unit of the same look shows there
    unit: I64                                  # (N,) row of the per-unit arrays
    window: I64                                # (N,)
    label: I64                                 # (N,) 0 good, 1 + k defect k; never undecided
    val: NDArray[np.bool_]                     # (U,) validation unit
    bad: NDArray[np.bool_]                     # (U,) has a defect
    hidden: NDArray[np.bool_]                  # (U,) only defects that no camera sees
    ids: tuple[str, ...]                       # (U,) sample ids


def prepare(dataset: Any, classes: Sequence[str], seed: int, progress: Callable[[int, int, str], None] | None = None) -> Prepared:
    """Decode a dataset's train and val splits.

    Args:
        dataset: A ``generators.dataset.Dataset``: its rows come in index order.
        classes: Defect names, in the order of their class indices.
        seed: For which good crops are kept.
        progress: Called with (done, total, note).

    Raises:
        DatasetError: No good part to learn a reference from.
    """
    layout = taught(islice(dataset.rows(("split", "frames", "instances"), split="train"), TEACHERS))
    splits = [row.split for row in dataset.rows(("split",)) if row.split in USED]
    total = len(splits)
    val = np.array([s == "val" for s in splits])
    if not val.any():
        val = np.arange(total) % VAL_EVERY == VAL_EVERY - 1
    keep = max(LEAST, min(len(layout), BUDGET // (max(total, 1) * CROP * CROP * 3)))
    crops, units, windows, labels, cells = [], [], [], [], []
    truths: list[Truth] = []
    ids: list[str] = []
    for done, (row, shown, seen, facts) in enumerate(_decoded(dataset, layout, classes), 1):
        if progress:
            progress(done, total, "decode")
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(row.index, 1)))
        good = np.flatnonzero(facts.crop == GOOD)
        good = good if val[done - 1] else np.sort(rng.permutation(good)[:keep])         # a validation unit's score needs all
        rows = np.sort(np.concatenate([good, np.flatnonzero(facts.crop > GOOD)]))
        crops.append(shown[rows])
        units.append(np.full(len(rows), len(ids)))
        windows.append(rows)
        labels.append(facts.crop[rows])
        cells.append(np.where(seen[:, None, None, None], pool(shown), np.float32(np.nan)))
        truths.append(facts)
        ids.append(row.id)
    kept = np.concatenate(crops)
    crops.clear()                              # half of the peak memory
    return _finish(layout, tuple(classes), kept, np.concatenate(units), np.concatenate(windows),
                   np.concatenate(labels), np.stack(cells), val, truths, tuple(ids))


def _decoded(dataset: Any, layout: Layout, classes: Sequence[str]) -> Iterator[Decoded]:
    """Rows of the train and val splits, their crops, which were seen, and the truth; in order, two at a time."""
    def work(row: Any) -> Decoded:
        return row, *extract(layout, pictures(row)), truth(layout, row, classes)

    wanted = (row for row in dataset.rows(COLUMNS) if row.split in USED)
    with ThreadPoolExecutor(2) as pool_:
        while batch := list(islice(wanted, 8)):
            yield from pool_.map(work, batch)


def _finish(layout: Layout, classes: tuple[str, ...], crops: NDArray[np.uint8], unit: I64, window: I64, label: I64,
            cells: NDArray[np.float32], val: NDArray[np.bool_], truths: list[Truth], ids: tuple[str, ...]) -> Prepared:
    teach = (label == GOOD) & ~val[unit]
    if not teach.any():
        raise DatasetError("dataset: no good part in the training split; raise 'count' or lower 'defective_fraction'")
    good = np.stack([t.crop == GOOD for t in truths]) & ~val[:, None]
    references, found = learn(crops[teach], unit[teach], window[teach], cells, good)
    golden = np.empty_like(crops)
    for k in range(len(val)):
        rows = np.flatnonzero(unit == k)
        golden[rows] = np.clip(np.rint(references.golden(found[k], window[rows])), 0, 255)
    measured = _some(window, teach, len(layout))
    references = replace(references, usual=usual(_salience(references, crops[measured], golden[measured], window[measured]),
                                                 window[measured], len(layout)))
    return Prepared(layout, references, classes, crops, golden, unit, window, label, val,
                    np.array([t.bad for t in truths]), np.array([t.hidden_only for t in truths]), ids)


def _some(window: I64, teach: NDArray[np.bool_], count: int) -> I64:
    """Rows of at most ``MEASURED`` teaching crops per window, evenly spread over the units."""
    found = []
    for k in range(count):
        rows = np.flatnonzero(teach & (window == k))
        found.append(rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MEASURED)).astype(int))] if len(rows) else rows)
    return np.concatenate(found)


def _salience(references: References, crops: NDArray[np.uint8], golden: NDArray[np.uint8], window: I64) -> NDArray[np.float32]:
    """Log salience of crops (N, SALIENCE)."""
    import torch

    from training_bridge.compact import assemble, sharpness

    found = []
    for k in range(0, len(crops), 64):         # more would be the peak of a training's memory
        part = slice(k, k + 64)
        sharp = sharpness(torch.from_numpy(references.spread[window[part]]))
        found.append(assemble(torch.from_numpy(crops[part]), torch.from_numpy(golden[part]), sharp)[1].numpy())
    return np.concatenate(found)


def shuffled(data: Prepared, seed: int) -> Prepared:
    """The control: the same crops under labels dealt out at random, within train and within val.

    The references stay: what they are taught from must not follow the labels that are learned, or a crop's label would
    show in how well the reference fits it (ADR 0049).
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, 2)))
    label = data.label.copy()
    for rows in (np.flatnonzero(~data.val[data.unit]), np.flatnonzero(data.val[data.unit])):
        label[rows] = label[rng.permutation(rows)]
    return replace(data, label=label)


__all__ = ["COLUMNS", "Prepared", "prepare", "shuffled"]
