"""YOLO segmentation: ``images/<split>/``, ``labels/<split>/*.txt`` with one polygon per instance, ``data.yaml``.

A polygon is a lossy mask: holes are filled, outlines are simplified. What is lost is measured per instance
(``fidelity.csv``) and reported; with ``min_iou`` the export fails where more is lost than you accept.
"""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import yaml

from generators.dataset.schema import bug
from generators.exports import ExportReport, chosen, frames, picture_file, write_bytes
from generators.exports.polygons import chain, fidelity, outlines
from generators.masks import rle_crop
from scenes.errors import DatasetError, InputError

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset


def export(dataset: Dataset, out: Path, *, split: str | None = None, masks: Literal["visible", "amodal"] = "visible",
           defects_only: bool = False, tolerance: float = 0.7, min_iou: float = 0.0) -> ExportReport:
    """Write YOLO files and check them by reading every polygon back.

    Args:
        dataset: What to export.
        out: The folder to fill, there and empty.
        split: Only this split.
        masks: "visible" leaves hidden instances out (and counts them); "amodal" keeps them.
        defects_only: Only defects, with classes numbered among themselves.
        tolerance: Simplification of outlines [px].
        min_iou: Raise DatasetError where an instance keeps less than this of its mask.
    """
    if masks not in ("visible", "amodal"):
        raise InputError(f"export yolo: masks '{masks}'; one of visible, amodal")
    names = [d.name for d in dataset.taxonomy.defects] + ([] if defects_only else list(dataset.taxonomy.parts))
    left_out = {"hidden": 0, "parts without a defect": 0}
    splits: dict[str, int] = {}
    samples: set[str] = set()
    kept: list[tuple[float, str]] = []
    for row, number, stem, instances in frames(dataset, split):
        extension, data = picture_file(row, number)
        write_bytes(out / "images" / row.split / (stem + extension), data)
        splits[row.split] = splits.get(row.split, 0) + 1
        samples.add(row.id)
        view, lines = row.frames[number], []
        for item, rle, _ in chosen(instances, masks, defects_only, left_out):
            found = rle_crop(rle)
            assert found is not None
            ring = chain(outlines(*found, tolerance))
            scaled = (ring / (view.width, view.height)).ravel()
            lines.append(" ".join([str(item.category_id - 1), *(f"{v:.6f}" for v in scaled)]))
            kept.append((fidelity(ring, *found, view.width, view.height), f"{stem},{item.category},{item.component}"))
        write_bytes(out / "labels" / row.split / f"{stem}.txt", "".join(f"{line}\n" for line in lines).encode())
    paths = {name: f"images/{name}" for name in sorted(splits)}           # without "path" they are relative to data.yaml
    data_yaml = {"train": paths.get("train", next(iter(paths.values()), "")), "val": paths.get("val", paths.get("test", "")),
                 **({"test": paths["test"]} if "test" in paths else {}), "names": dict(enumerate(names))}
    write_bytes(out / "data.yaml", yaml.safe_dump(data_yaml, sort_keys=False).encode())
    table = ["image,category,component,iou\n", *(f"{what},{iou:.4f}\n" for iou, what in kept)]
    write_bytes(out / "fidelity.csv", "".join(table).encode())
    if kept and min(kept)[0] < min_iou:
        raise DatasetError(f"export yolo: a polygon keeps {min(kept)[0]:.3f} of its mask ({min(kept)[1]}), less than {min_iou}; "
                           "lower the tolerance, or use coco, which loses nothing")
    _read_back(out, len(kept), len(names))
    ious = [iou for iou, _ in kept]
    figures = {"IoU mean": sum(ious) / len(ious), "IoU lowest": min(ious),
               "instances below IoU 0.9": float(sum(i < 0.9 for i in ious))} if ious else {}
    return ExportReport("yolo", str(out), len(samples), sum(splits.values()), len(kept), left_out, figures,
                        "linetwin's reader of the text form")


def _read_back(out: Path, count: int, classes: int) -> None:
    seen = 0
    for path in sorted((out / "labels").rglob("*.txt")):
        for line in path.read_text().splitlines():
            first, *values = line.split()
            numbers = [float(v) for v in values]
            if not 0 <= int(first) < classes or len(numbers) < 6 or len(numbers) % 2 or not all(0 <= v <= 1 for v in numbers):
                raise bug(f"{path}: a line is no YOLO polygon")
            seen += 1
    if seen != count:
        raise bug(f"export yolo: {seen} polygons instead of {count}")


__all__ = ["export"]
