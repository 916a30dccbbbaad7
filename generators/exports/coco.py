"""COCO instance segmentation: ``annotations/instances_<split>.json`` beside ``images/<split>/``.

Masks are compressed run lengths, exact; boxes and areas follow from them. Category ids are those of the taxonomy and
start at 1. What COCO has no field for (severity, component, rule …) is in ``attributes``.
"""
from __future__ import annotations

import contextlib
import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from generators.dataset.schema import bug
from generators.exports import ExportReport, chosen, frames, picture_file, write_bytes
from generators.masks import rle_area
from scenes.errors import InputError

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset
    from generators.dataset.rows import Labelled

_AT_ONCE = 200                                 # pycocotools 2.0.11 with numpy 2 cannot take the area of 256 masks in one call


def export(dataset: Dataset, out: Path, *, split: str | None = None, masks: Literal["visible", "amodal"] = "visible",
           defects_only: bool = False) -> ExportReport:
    """Write COCO files and read them back with pycocotools where it is installed.

    Args:
        dataset: What to export.
        out: The folder to fill, there and empty.
        split: Only this split.
        masks: "visible" leaves hidden instances out (and counts them); "amodal" keeps them.
        defects_only: Leave parts without a defect out.
    """
    if masks not in ("visible", "amodal"):
        raise InputError(f"export coco: masks '{masks}'; one of visible, amodal")
    files: dict[str, dict[str, list[Any]]] = {}
    left_out = {"hidden": 0, "parts without a defect": 0}
    samples: set[str] = set()
    image_id = annotation_id = 0
    for row, number, stem, instances in frames(dataset, split):
        extension, data = picture_file(row, number)
        write_bytes(out / "images" / row.split / (stem + extension), data)
        image_id += 1
        samples.add(row.id)
        view = row.frames[number]
        file = files.setdefault(row.split, {"images": [], "annotations": []})
        file["images"].append({"id": image_id, "file_name": stem + extension, "width": view.width, "height": view.height,
                               "sample_id": row.id, "frame": number, "unit": row.unit, "camera": view.camera})
        for item, rle, box in chosen(instances, masks, defects_only, left_out):
            annotation_id += 1
            file["annotations"].append({
                "id": annotation_id, "image_id": image_id, "category_id": item.category_id, "iscrowd": 0,
                "segmentation": rle, "bbox": [float(v) for v in box], "area": rle_area(rle), "attributes": _attributes(item)})
    categories = [{"id": i, "name": d.name, "supercategory": "defect"} for i, d in enumerate(dataset.taxonomy.defects, 1)]
    categories += [{"id": i, "name": name, "supercategory": "part"}
                   for i, name in enumerate(dataset.taxonomy.parts, 1 + len(categories))]
    info = {"description": dataset.info.name, "version": dataset.info.recipe_digest,
            "contributor": f"linetwin {dataset.info.linetwin}"}
    licenses = [{"id": 1, "name": dataset.info.license, "url": f"https://spdx.org/licenses/{dataset.info.license}.html"}]
    for name, file in sorted(files.items()):
        text = json.dumps({"info": info, "licenses": licenses, "categories": categories, **file}, allow_nan=False)
        write_bytes(out / "annotations" / f"instances_{name}.json", text.encode())
    verified = _read_back(out, files)
    return ExportReport("coco", str(out), len(samples), image_id, annotation_id, left_out, verified=verified)


def _attributes(item: Labelled) -> dict[str, Any]:
    return {"component": item.component, "pads": list(item.pads), "hidden": item.hidden, "rule": item.rule,
            "severity": None if math.isnan(item.severity) else item.severity, "severity_unit": item.severity_unit,
            "visible_pixels": item.visible_pixels, "amodal_pixels": item.amodal_pixels}


def _read_back(out: Path, files: dict[str, dict[str, list[Any]]]) -> str:
    """Load each file with pycocotools and compare counts, areas and boxes. Returns what read it, or ""."""
    try:
        from pycocotools import mask
        from pycocotools.coco import COCO
    except ImportError:
        return ""
    from importlib.metadata import version

    for name, file in files.items():
        path = out / "annotations" / f"instances_{name}.json"
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(path))
        rles = [a["segmentation"] for a in coco.dataset["annotations"]]
        parts = [rles[i:i + _AT_ONCE] for i in range(0, len(rles), _AT_ONCE)]
        areas = [int(a) for part in parts for a in mask.area(part)]
        boxes = [[float(v) for v in b] for part in parts for b in mask.toBbox(part)]
        if (len(coco.imgs) != len(file["images"]) or areas != [a["area"] for a in file["annotations"]]
                or boxes != [a["bbox"] for a in file["annotations"]]):
            raise bug(f"{path}: pycocotools reads other counts, areas or boxes than were written")
    return f"pycocotools {version('pycocotools')}"


__all__ = ["export"]
