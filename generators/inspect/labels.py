"""What must hold for the labels of one row, whoever made it. Each function yields (check id, what is wrong)."""
from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from generators.dataset.rows import Labelled, Row
from generators.masks import Box, Mask, rle_crop, rle_encode
from scenes.errors import DatasetError
from scenes.family import Taxonomy
from scenes.geometry import BOARD_ID, PartKind

SURFACE = (PartKind.BOARD, PartKind.PAD, PartKind.PASTE)
Problem = tuple[str, str]


def check_row(row: Row, taxonomy: Taxonomy) -> Iterator[Problem]:
    """Everything below, for every frame and instance of a row."""
    names = {d.name for d in taxonomy.defects} | set(taxonomy.parts)
    for number in range(len(row.frames)):
        ids = row.label("instance", number) if row.has_label("instance", number) else None
        part = row.label("part", number) if row.has_label("part", number) else None
        dense = Dense(ids, part) if ids is not None and part is not None else None
        for item in (i for i in row.instances if i.frame == number):
            where = f"{row.id} frame {number}: {item.category} on '{item.component}'"
            if item.category not in names or (item.defect and item.category != item.defect):
                yield "labels.category", f"{where}: category is not of the taxonomy"
            elif item.category_id != taxonomy.category_id(item.category):
                yield "labels.category", f"{where}: category id {item.category_id} is not that of the taxonomy"
            yield from check_severity(item, taxonomy, where)
            try:
                yield from check_masks(item, where, dense)
            except DatasetError as error:
                yield "labels.rle", f"{where}: {error}"


def check_severity(item: Labelled, taxonomy: Taxonomy, where: str) -> Iterator[Problem]:
    """Continuous defects carry a finite severity in the taxonomy's unit; all-or-nothing ones and parts carry none."""
    defect = next((d for d in taxonomy.defects if d.name == item.defect), None)
    if defect is None:
        return
    if defect.severity_levels and not math.isfinite(item.severity):
        yield "labels.severity", f"{where}: has no severity, '{defect.severity}' is continuous"
    if item.severity_unit != defect.severity_unit:
        yield "labels.severity", f"{where}: severity in '{item.severity_unit}', the taxonomy says '{defect.severity_unit}'"


class Dense:
    """The dense labels of one frame, and how many pixels each id has outside the board's surface."""

    def __init__(self, ids: NDArray[np.uint32], part: NDArray[np.uint16]) -> None:
        self.ids = ids
        self.surface = np.isin(part, np.array([int(k) for k in SURFACE], part.dtype)) | (ids == BOARD_ID)
        self.values, counts = np.unique(ids[~self.surface], return_counts=True)
        self.total = dict(zip(self.values.tolist(), counts.tolist(), strict=True))


def check_masks(item: Labelled, where: str, dense: Dense | None) -> Iterator[Problem]:
    """Run lengths, area, box, visible ⊆ amodal, hidden, and that the mask is what the dense labels show."""
    visible = rle_crop(item.rle)
    same = item.amodal_rle["counts"] == item.rle["counts"]       # most parts: nothing is hidden
    amodal = visible if same else rle_crop(item.amodal_rle)
    for name, rle, found, pixels in (("visible", item.rle, visible, item.visible_pixels),
                                     ("amodal", item.amodal_rle, amodal, item.amodal_pixels)):
        area = int(np.count_nonzero(found[1])) if found else 0
        if area != pixels:
            yield "labels.area", f"{where}: {name} mask has {area} pixels, the row says {pixels}"
        if found is not None and not (same and name == "amodal"):
            inside = found[1]
            if not (inside[[0, -1]].any(axis=1).all() and inside[:, [0, -1]].any(axis=0).all()):
                yield "labels.box", f"{where}: {name} box is not tight"
            if _encode(found, rle["size"]) != rle["counts"]:
                yield "labels.rle", f"{where}: {name} run lengths are not canonical"
    if amodal is None:
        yield "labels.amodal", f"{where}: has no pixel, not even a hidden one"
        return
    if item.hidden != (visible is None):
        yield "labels.hidden", f"{where}: 'hidden' is {item.hidden}, but {item.visible_pixels} pixels are visible"
    if visible is None:
        return
    if not _within(visible, amodal):
        yield "labels.amodal", f"{where}: visible pixels outside the amodal mask"
    if dense is not None and item.ids:
        (x, y, w, h), inside = visible
        where_ = (slice(y, y + h), slice(x, x + w))
        found_ids, counts = np.unique(dense.ids[where_][inside & ~dense.surface[where_]], return_counts=True)
        got = dict(zip(found_ids.tolist(), counts.tolist(), strict=True))
        want = {i: dense.total[i] for i in item.ids if i in dense.total}
        if got != want:
            odd = sorted(set(got.items()) ^ set(want.items()))[0][0]
            yield "labels.dense", f"{where}: visible mask has {got.get(odd, 0)} pixels of id {odd}, not {want.get(odd, 0)}"


def _encode(found: tuple[Box, Mask], size: list[int]) -> str:
    (x, y, w, h), inside = found
    mask = np.zeros((size[0], size[1]), np.bool_)
    mask[y:y + h, x:x + w] = inside
    return rle_encode(mask, (x, y, w, h))["counts"]


def _within(visible: tuple[Box, Mask], amodal: tuple[Box, Mask]) -> bool:
    (x, y, w, h), inside = visible
    (ax, ay, aw, ah), outer = amodal
    if x < ax or y < ay or x + w > ax + aw or y + h > ay + ah:
        return False
    return not (inside & ~outer[y - ay:y - ay + h, x - ax:x - ax + w]).any()


__all__ = ["Dense", "Problem", "check_masks", "check_row", "check_severity"]
