"""KITTI object detection as NVIDIA TAO reads it: ``<split>/images/*.png`` beside ``<split>/labels/*.txt``, one line per object.

The 15 fields (KITTI devkit's readme; TAO, "Data Annotation Format"): type, truncated, occluded, alpha, left, top, right, bottom,
height, width, length, x, y, z, rotation_y. A board's picture has no road: alpha, sizes, place and rotation are 0, as TAO
asks for 2D work. Boxes are edges, 0 ≤ left < right ≤ width, so a mask one pixel wide still has an area. How much of an
object lies outside the picture is not stored, so ``truncated`` is 0; the report counts boxes that touch the border.
``occluded`` is 0 where at least 95 % of the amodal pixels are visible, 1 from 50 %, else 2.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from generators.dataset.schema import bug
from generators.exports import ExportReport, Progress, chosen, frames, picture_file, write_bytes
from scenes.errors import DatasetError, InputError

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset
    from generators.dataset.rows import Labelled

FIELDS = 15
FULLY, PARTLY = 0.95, 0.5                      # visible shares; those of Replicator's KittiWriter


def export(dataset: Dataset, out: Path, *, split: str | None = None, masks: Literal["visible", "amodal"] = "visible",
           defects_only: bool = False, progress: Progress | None = None) -> ExportReport:
    """Write KITTI label files, and ``classes.txt`` with one class name a line.

    Args:
        dataset: What to export.
        out: A new or empty folder; it appears as a whole.
        split: Only this split.
        masks: Boxes of the "visible" pixels leave hidden instances out (and count them); "amodal" ones keep them.
        defects_only: Leave parts without a defect out.
        progress: Called with (rows done, rows in all, note).
    """
    if masks not in ("visible", "amodal"):
        raise InputError(f"export kitti: masks '{masks}'; one of visible, amodal")
    names = class_names([d.name for d in dataset.taxonomy.defects] + ([] if defects_only else list(dataset.taxonomy.parts)))
    left_out = {"hidden": 0, "parts without a defect": 0}
    counts: dict[str, list[int]] = {}          # split → lines of each file, in order
    samples: set[str] = set()
    border = 0
    for row, number, stem, instances in frames(dataset, split, progress=progress):
        extension, data = picture_file(row, number)
        write_bytes(out / row.split / "images" / (stem + extension), data)
        samples.add(row.id)
        view, lines = row.frames[number], []
        for item, _, (x, y, w, h) in chosen(instances, masks, defects_only, left_out):
            border += x == 0 or y == 0 or x + w == view.width or y + h == view.height
            lines.append(f"{names[item.category]} 0.00 {occluded(item)} 0.00 {x:.2f} {y:.2f} {x + w:.2f} {y + h:.2f} "
                         "0.00 0.00 0.00 0.00 0.00 0.00 0.00\n")
        write_bytes(out / row.split / "labels" / f"{stem}.txt", "".join(lines).encode())
        counts.setdefault(row.split, []).append(len(lines))
    write_bytes(out / "classes.txt", "".join(f"{name}\n" for name in names.values()).encode())
    _read_back(out, counts, set(names.values()))
    images, total = sum(map(len, counts.values())), sum(map(sum, counts.values()))
    figures = {"boxes at the picture's border": float(border)}
    return ExportReport("kitti", str(out), len(samples), images, total, left_out, figures, "linetwin's reader of the 15 fields")


def class_names(names: Sequence[str]) -> dict[str, str]:
    """Category → a class name of lower case letters, digits, - and _. Raises DatasetError where two become the same."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_") or "class"
        if plain in found.values():
            other = next(k for k, v in found.items() if v == plain)
            raise DatasetError(f"class names '{other}' and '{name}' are both '{plain}' in KITTI; rename one of them")
        found[name] = plain
    return found


def occluded(item: Labelled) -> int:
    """KITTI's state of occlusion: 0 fully visible, 1 partly, 2 largely occluded."""
    share = item.visible_pixels / item.amodal_pixels
    return 0 if share >= FULLY else 1 if share >= PARTLY else 2


def _read_back(root: Path, counts: dict[str, list[int]], names: set[str]) -> None:
    for split, expected in counts.items():
        files = list((root / split / "labels").iterdir())
        lines = [line.split(" ") for path in files for line in path.read_text().splitlines()]
        if len(files) != len(expected) or len(lines) != sum(expected):
            raise bug(f"kitti {split}: {len(lines)} lines in {len(files)} files instead of {sum(expected)} in {len(expected)}")
        for fields in lines:
            left, top, right, bottom = (float(v) for v in fields[4:8])
            if len(fields) != FIELDS or fields[0] not in names or not (0 <= left < right and 0 <= top < bottom):
                raise bug(f"kitti {split}: the line '{' '.join(fields)}' is none of KITTI's")


__all__ = ["FIELDS", "class_names", "export", "occluded"]
