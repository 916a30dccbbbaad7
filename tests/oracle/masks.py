"""Stored masks, read with the reference library and compared with what they are made from."""
from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from pycocotools import mask as coco
from shapely.geometry.base import BaseGeometry

from generators.dataset.rows import Labelled, Row
from scenes.family import Finding
from scenes.optics import Camera, Look
from scenes.smt.state import Assembly

Mask = NDArray[np.bool_]


def camera_of(row: Row, frame: int = 0) -> Camera:
    """The camera as stored with the row."""
    view = row.frames[frame].view
    return Camera(row.frames[frame].camera, view["width"], view["height"], view["pixel_size"],
                  np.array(view["pose"], np.float64).reshape(4, 4), view["distance"], view["model"])


def look_of(row: Row) -> Look:
    """The look as stored with the row; JSON has lists where it has tuples."""
    stored = row.conditions["look"]
    return Look(**{k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()})


def lands_of(assembly: Assembly, item: Labelled, camera: Camera) -> BaseGeometry | None:
    """The pads of a missing part in pixels, from the board file; None for anything else."""
    if item.defect != "missing":
        return None
    component = next(c for c in assembly.components if c.reference == item.component)
    pads = shapely.union_all([p.outline for p in component.pads if p.front and p.kind != "npth"])
    return shapely.transform(pads, lambda xy: camera.project(np.column_stack([xy, np.zeros(len(xy))])))


def findings_of(row: Row) -> tuple[Finding, ...]:
    """What the row says was found, without regions."""
    return tuple(Finding(i.category, i.defect, i.component, i.pads, i.ids, None, i.severity, i.rule, i.measured)
                 for i in row.instances)


def plain_box(mask: Mask) -> tuple[int, int, int, int] | None:
    """(x, y, w, h) of the set pixels."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    return int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def wrong_with(row: Row, item: Labelled, ids: NDArray[np.uint32], lands: BaseGeometry | None = None) -> list[str]:
    """What is wrong with one stored instance: run lengths, area, box, and the pixels themselves. Empty where nothing is.

    Args:
        ids: The frame's instance label.
        lands: Of a missing part, its land pattern in pixels.
    """
    out = []
    for name, rle, area, box, ours in (("visible", item.rle, item.visible_pixels, item.box, item.visible()),
                                       ("amodal", item.amodal_rle, item.amodal_pixels, item.amodal_box, item.amodal())):
        text = {"size": list(rle["size"]), "counts": str(rle["counts"]).encode()}
        theirs = coco.decode(text).astype(bool)
        if not np.array_equal(theirs, ours):
            out.append(f"{name}: pycocotools reads another mask")
        if coco.encode(np.asfortranarray(theirs.astype(np.uint8)))["counts"].decode() != str(rle["counts"]):
            out.append(f"{name}: run lengths do not round-trip")
        if area != theirs.sum() or int(coco.area(text)) != area:
            out.append(f"{name}: area {area} is {theirs.sum()}")
        if box != plain_box(theirs):
            out.append(f"{name}: box {box} is {plain_box(theirs)}")
    visible, amodal = item.visible(), item.amodal()
    if (visible & ~amodal).any():
        out.append("visible pixels outside the amodal mask")
    if item.hidden != (not visible.any()):
        out.append(f"hidden is {item.hidden} with {visible.sum()} visible pixels")
    if item.ids and not item.hidden and not np.array_equal(visible, np.isin(ids, item.ids)):
        out.append("visible is not the pixels of its ids")
    if lands is not None:
        y, x = np.nonzero(amodal)
        far = shapely.distance(lands, shapely.points(x + 0.5, y + 0.5)) > 1.0
        if far.any() or abs(amodal.sum() - lands.area) > lands.length:
            out.append(f"a missing part's mask of {amodal.sum()} px is not its land pattern of {lands.area:.0f} px")
    return [f"{row.where}: {item.category} on '{item.component}': {text}" for text in out]


__all__ = ["camera_of", "findings_of", "lands_of", "look_of", "plain_box", "wrong_with"]
