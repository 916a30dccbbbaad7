"""Golden/test pairs for NVIDIA TAO's Visual ChangeNet and Optical Inspection, from datasets with ``outputs.golden: true``.

    classify/images/<frame>/test/<object>.png      one crop per component of the unit under test
    classify/images/<frame>/golden/<object>.png    the same window of the same unit with its defects undone
    classify/labels/<split>.csv                    input_path,golden_path,label,object_name; label PASS, or the defect's name
    segment/A/*.png, segment/B/*.png               whole pictures: A under test, B golden
    segment/label/*.png                            255 where a defect is visible, else 0
    segment/list/<split>.txt                       one file name a line

Layouts: TAO, "Data Annotation Format" (Optical Inspection; Visual ChangeNet-Segmentation) and NVIDIA/tao_pytorch_backend, whose
``oi_dataset.py`` opens <root>/<input_path>/<object_name><image_ext> and takes every label but PASS for a defect, and whose
``cn_dataset.py`` names A the test and B the compare image. Use image_ext .png, num_input 1, no input_map, label_transform norm.
Written to be read by those; TAO itself was not run.
"""
from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from generators.dataset.schema import bug
from generators.encoding import png_encode
from generators.exports import ExportReport, Progress, frames, write_bytes
from generators.exports.kitti import class_names
from generators.masks import Box, rle_crop
from scenes.errors import DatasetError, InputError

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset
    from generators.dataset.rows import Labelled, Row

GOLDEN = "golden"                              # what the camera of a golden frame is called
COLUMNS = ("input_path", "golden_path", "label", "object_name")
PASS = "PASS"                                  # noqa: S105
TASKS = ("classify", "segment")


class Pair(NamedTuple):
    """One frame under test, and the same with the defects undone."""
    row: Row
    test: int                                  # frame number
    golden: int
    stem: str
    found: tuple[Labelled, ...]
    good: tuple[Labelled, ...]


class Crop(NamedTuple):
    """One component's window in both pictures, and what is wrong in it."""
    name: str
    label: str
    window: Box


def export(dataset: Dataset, out: Path, *, split: str | None = None, tasks: Sequence[str] = TASKS, margin: float = 0.25,
           smallest: int = 32, progress: Progress | None = None) -> ExportReport:
    """Write pairs for classification by component and for segmentation of whole pictures.

    Args:
        dataset: What to export; its recipe must have said ``outputs: {golden: true}``.
        out: A new or empty folder; it appears as a whole.
        split: Only this split.
        tasks: "classify", "segment" or both.
        margin: Share of a component's longer side that a crop shows around it, on every side.
        smallest: Shortest side of a crop [px], where the picture is large enough.
        progress: Called with (rows done, rows in all, note).

    Raises:
        DatasetError: there are no golden frames; ``out`` is taken.
    """
    if not tasks or set(tasks) - set(TASKS):
        raise InputError(f"export changenet: tasks {', '.join(tasks) or 'none'}; of {', '.join(TASKS)}")
    if not 0 <= margin <= 10 or not 1 <= smallest <= 4096:
        raise InputError(f"export changenet: margin {margin}, smallest {smallest}; 0 to 10 and 1 to 4096")
    labels = class_names([d.name for d in dataset.taxonomy.defects])
    if PASS.lower() in labels.values():
        raise DatasetError(f"{dataset.path}: a defect is called 'pass', TAO's word for good; rename it")
    order = [d.name for d in dataset.taxonomy.defects]
    left_out = {"hidden defects: their components are in no pair": 0, "further defects of a component": 0,
                "good components beside whom a defect shows": 0, "frames without a golden twin": 0}
    tables: dict[str, list[tuple[str, str, str, str]]] = {}
    lists: dict[str, list[str]] = {}
    samples: set[str] = set()
    images = defective = 0
    for row, pairs, lonely in _pairs(dataset, split, progress):
        left_out["frames without a golden twin"] += lonely
        for pair in pairs:
            samples.add(row.id)
            seen, golden = row.rgb(pair.test), row.rgb(pair.golden)
            if "segment" in tasks:
                _segment(out / "segment", pair, seen, golden)
                lists.setdefault(row.split, []).append(f"{pair.stem}.png")
                images += 2
            if "classify" in tasks:
                for crop in _crops(pair, order, margin, smallest, left_out):
                    x, y, w, h = crop.window
                    places = []
                    for name, picture in (("test", seen), (GOLDEN, golden)):
                        place = f"images/{pair.stem}/{name}"
                        write_bytes(out / "classify" / place / f"{crop.name}.png",
                                    png_encode(np.ascontiguousarray(picture[y:y + h, x:x + w]), level=1))
                        places.append(place)
                    label = labels[crop.label] if crop.label else PASS
                    tables.setdefault(row.split, []).append((places[0], places[1], label, crop.name))
                    images += 2
                    defective += label != PASS
    if not samples:
        raise DatasetError(f"{dataset.path}: holds no golden frames{f' in split {split}' if split else ''}; say 'outputs: "
                           "{golden: true}' in the recipe and generate into a new folder")
    for name, rows in sorted(tables.items()):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
        write_bytes(out / "classify" / "labels" / f"{name}.csv", text.getvalue().encode())
    for name, files in sorted(lists.items()):
        write_bytes(out / "segment" / "list" / f"{name}.txt", "".join(f"{f}\n" for f in files).encode())
    _read_back(out, tables)
    crops = sum(map(len, tables.values()))
    figures = {"pairs of pictures": float(sum(map(len, lists.values()))), "pairs of crops": float(crops),
               "of these defective": float(defective)}
    return ExportReport("changenet", str(out), len(samples), images, crops, left_out,
                        {k: v for k, v in figures.items() if v}, "linetwin's reader of TAO's columns")


def _pairs(dataset: Dataset, split: str | None,
           progress: Progress | None) -> Iterator[tuple[Row, list[Pair], int]]:
    """Per row: its pairs, and how many frames under test have no golden twin of the same tile and moment."""
    for _, group in groupby(frames(dataset, split, progress=progress), key=lambda f: f[0].id):
        tests: dict[tuple[object, ...], tuple[int, str, tuple[Labelled, ...]]] = {}
        goldens: dict[tuple[object, ...], tuple[int, tuple[Labelled, ...]]] = {}
        row = None
        for row, number, stem, items in group:
            view = row.frames[number]
            place = view.view.get("tile", 0), view.view.get("clip"), view.width, view.height
            if view.camera == GOLDEN:
                goldens[place] = number, items
            else:
                tests[place] = number, stem, items
        assert row is not None
        pairs = [Pair(row, number, goldens[place][0], stem, items, goldens[place][1])
                 for place, (number, stem, items) in tests.items() if place in goldens]
        yield row, pairs, len(tests) - len(pairs)


def _segment(root: Path, pair: Pair, seen: NDArray[np.uint8], golden: NDArray[np.uint8]) -> None:
    mask = np.zeros(seen.shape[:2], np.uint8)
    for item in pair.found:
        if item.defect and not item.hidden:
            mask[item.visible()] = 255
    for folder, picture in (("A", seen), ("B", golden), ("label", mask)):
        write_bytes(root / folder / f"{pair.stem}.png", png_encode(picture, level=1))


def _crops(pair: Pair, order: Sequence[str], margin: float, smallest: int, left_out: dict[str, int]) -> Iterator[Crop]:
    """One window per component, in the order of their names; on the bare board one per defect."""
    size = pair.row.frames[pair.test].width, pair.row.frames[pair.test].height
    components: dict[str, list[Labelled]] = {}
    loose = []
    for item in (*pair.found, *pair.good):
        if item.component:
            components.setdefault(item.component, []).append(item)
        elif item.defect and any(item is f for f in pair.found):
            loose.append(item)
    used: set[str] = set()
    for component, items in sorted(components.items()):
        defects = [i for i in items if i.defect and any(i is f for f in pair.found)]
        shown = sorted((i for i in defects if not i.hidden), key=lambda i: order.index(i.defect))
        if defects and not shown:
            left_out["hidden defects: their components are in no pair"] += len(defects)
            continue
        left_out["further defects of a component"] += max(0, len(shown) - 1)
        place = window([i.amodal_box for i in items], size, margin, smallest)
        if not shown and any(_inside(i, place) for i in pair.found if i.defect and not i.hidden):
            left_out["good components beside whom a defect shows"] += 1
            continue
        yield Crop(_name(component, used), shown[0].defect if shown else "", place)
    for item in loose:
        if item.hidden:
            left_out["hidden defects: their components are in no pair"] += 1
            continue
        yield Crop(_name("board", used), item.defect, window([item.amodal_box], size, margin, smallest))


def _inside(item: Labelled, place: Box) -> bool:
    """Whether a visible pixel of an instance lies in a window."""
    found = rle_crop(item.rle)
    if found is None:
        return False
    (x, y, w, h), inside = found
    rows = slice(max(0, place[1] - y), max(0, min(h, place[1] + place[3] - y)))
    columns = slice(max(0, place[0] - x), max(0, min(w, place[0] + place[2] - x)))
    return bool(inside[rows, columns].any())


def window(boxes: Sequence[Box], size: tuple[int, int], margin: float, smallest: int) -> Box:
    """A square around all boxes with a margin, moved into the picture; cut only where the picture is smaller.

    Args:
        boxes: (x, y, w, h) [px].
        size: (width, height) of the picture [px].
        margin: Share of the longer side, added on every side.
        smallest: Shortest side [px].
    """
    x0, y0 = min(b[0] for b in boxes), min(b[1] for b in boxes)
    x1, y1 = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    side = max(smallest, round(max(x1 - x0, y1 - y0) * (1 + 2 * margin)))
    w, h = min(side, size[0]), min(side, size[1])
    x = min(max(0, (x0 + x1 - w) // 2), size[0] - w)
    y = min(max(0, (y0 + y1 - h) // 2), size[1] - h)
    return x, y, w, h


def _name(text: str, used: set[str]) -> str:
    """A file name that no other object of the frame has."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", text) or "_"
    name, k = plain, 1
    while name in used:
        k += 1
        name = f"{plain}-{k}"
    used.add(name)
    return name


def _read_back(root: Path, tables: dict[str, list[tuple[str, str, str, str]]]) -> None:
    """Open what each line of the tables points at, as TAO's loader forms the path."""
    for split, rows in tables.items():
        with open(root / "classify" / "labels" / f"{split}.csv", newline="", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
        files = [root / "classify" / line[folder] / f"{line['object_name']}.png" for line in found
                 for folder in ("input_path", "golden_path")]
        if len(found) != len(rows) or len(set(files)) != 2 * len(rows) or not all(f.is_file() for f in files):
            raise bug(f"changenet {split}: {len(found)} lines instead of {len(rows)}, or pictures that are not there")


__all__ = ["COLUMNS", "PASS", "Crop", "Pair", "export", "window"]
