"""Crops: what the windows of a layout show of one unit, and which defect each of them shows.

A crop is uint8 (3, CROP, CROP), upright in the board frame: row 0 is up, so that a turned camera gives the same crop.
Labels per window: 0 good, 1 + k defect k of the class list, −1 undecided: either no frame shows the window, or a
defect touches it without the window answering for it. Undecided crops are neither trained nor judged.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from domain_randomization.sampling import GOLDEN
from scenes.errors import DatasetError
from training_bridge.layout import CROP, Layout, apply, homography

GOOD, UNDECIDED = 0, -1
ENOUGH = 24                # visible defect pixels in a core that always make a window answer for it
HALF = 0.5                 # or this share of the defect's visible pixels
POINTS = 4000              # mask pixels looked at per finding
SHARPEST = 0.87            # crops are taken from the pyramid level whose pixels are at least this share of a crop pixel
SEEN = 0.8                 # share of a core that a frame must show

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Picture:
    """One colour picture of a unit and how the camera stood, as registration on the fiducials gives it."""
    rgb: U8                                    # (H, W, 3) sRGB
    view: Mapping[str, Any]                    # camera model, pixel size [m], pose, width, height


def pictures(row: Any) -> list[Picture]:
    """The RGB pictures of a dataset's row, decoded. Golden twins are left out: no inspection machine has one.

    Raises:
        DatasetError: The row has no RGB picture, or one that cannot be decoded.
    """
    with_rgb = {i["frame"] for i in row.data["images"] if i["modality"] == "rgb"}
    found = [Picture(row.image("rgb", k), f.view) for k, f in enumerate(row.frames) if k in with_rgb and f.camera != GOLDEN]
    if not found:
        raise DatasetError(f"{row.where}: no rgb picture; the compact model needs one")
    return found


def extract(layout: Layout, shown: Sequence[Picture]) -> tuple[U8, Bool]:
    """Crops (L, 3, CROP, CROP) of one unit, and which windows were seen (L,).

    Each window is taken from the picture that shows it best. What lies outside is black.
    """
    found = [(p, homography(p.view)) for p in shown]
    share = np.stack([_shown(layout, matrix, p.view) for p, matrix in found])     # (F, L)
    best, seen = share.argmax(axis=0), share.max(axis=0) >= SEEN
    crops = np.zeros((len(layout), 3, CROP, CROP), np.uint8)
    for k, (picture, matrix) in enumerate(found):
        chosen = np.flatnonzero(seen & (best == k))
        if not len(chosen):
            continue
        quads = _quads(layout, matrix)[chosen]                                   # (N, 4, 2)
        size = np.hypot(*(quads[:, 2] - quads[:, 1]).T) / CROP                   # image px per crop px
        level = np.maximum(0, np.floor(np.log2(size / SHARPEST))).astype(int)
        shrunk = Image.fromarray(np.ascontiguousarray(picture.rgb))
        for step in range(int(level.max()) + 1):
            shrunk = shrunk.reduce(2) if step else shrunk
            rows = np.flatnonzero(level == step)
            if len(rows):
                crops[chosen[rows]] = _cut(shrunk, quads[rows] * 2.0 ** -step)
    return crops, seen


def _cut(image: Image.Image, quads: F64) -> U8:
    """Quads (N, 4, 2) [px] of an image as crops (N, 3, CROP, CROP), bilinear; one call for all of them."""
    column = [((0, k * CROP, CROP, (k + 1) * CROP), tuple(quad.ravel().tolist())) for k, quad in enumerate(quads)]
    strip = image.transform((CROP, CROP * len(quads)), Image.Transform.MESH, column, Image.Resampling.BILINEAR)  # type: ignore[arg-type]
    return np.asarray(strip).reshape(len(quads), CROP, CROP, 3).transpose(0, 3, 1, 2)


def _quads(layout: Layout, matrix: F64) -> F64:
    """Pixel position of each window's upper left, lower left, lower right and upper right corner, (L, 4, 2)."""
    half = layout.side[:, None] / 2 * np.array([[[-1.0, 1.0]], [[-1.0, -1.0]], [[1.0, -1.0]], [[1.0, 1.0]]])      # (4, L, 2)
    points = layout.center[None] + half
    return np.asarray(apply(matrix, points.reshape(-1, 2)).reshape(4, -1, 2).transpose(1, 0, 2))


def _shown(layout: Layout, matrix: F64, view: Any) -> F64:
    """Share of each core that lies in the image, (L,), on 5 × 5 points, ties broken towards the image's middle."""
    steps = (np.arange(5) + 0.5) / 5
    low, size = layout.core[:, None, :2], (layout.core[:, 2:] - layout.core[:, :2])[:, None]
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(1, -1, 2)
    x, y = apply(matrix, (low + grid * size).reshape(-1, 2)).T.reshape(2, len(layout), -1)
    width, height = float(view["width"]), float(view["height"])
    inside = ((x >= 0) & (y >= 0) & (x <= width) & (y <= height)).mean(axis=1)
    off = np.hypot(x.mean(axis=1) - width / 2, y.mean(axis=1) - height / 2) / np.hypot(width, height)
    return np.asarray(np.where(inside > 0, inside + 1e-3 * (1 - np.minimum(off, 1)), 0.0))


@dataclass(frozen=True, eq=False)
class Defective:
    """One defect on one unit. ``windows`` are those that answer for it; none where it is hidden."""
    defect: str
    component: str                             # "" on the bare board
    severity: float
    hidden: bool                               # from every camera
    windows: I64


@dataclass(frozen=True, eq=False)
class Truth:
    """What is wrong with one unit, as far as judging needs it."""
    crop: I64                                  # (L,) label per window
    defects: tuple[Defective, ...]

    @property
    def bad(self) -> bool:
        return bool(self.defects)

    @property
    def hidden_only(self) -> bool:
        """Defective, but no camera sees any of it."""
        return self.bad and all(d.hidden for d in self.defects)


def truth(layout: Layout, row: Any, classes: Sequence[str]) -> Truth:
    """Labels of one unit's windows and its list of defects.

    A window answers for a defect when its core holds ``ENOUGH`` or ``HALF`` of the visible pixels. For a defect of a
    part only that part's own windows answer; for one on the bare board every part's do, and cells do for what lies
    mostly outside every part's core.
    """
    shown = [_shown(layout, homography(f.view), f.view) if f.camera != GOLDEN else None for f in row.frames]
    seen = np.max([s for s in shown if s is not None], axis=0) >= SEEN
    labels, touched = np.zeros(len(layout), np.int64), ~seen
    found: dict[tuple[Any, ...], tuple[Any, Bool, bool]] = {}
    for item in row.instances:
        if not item.defect or shown[item.frame] is None:
            continue
        key = (item.defect, item.component, tuple(item.pads), repr(float(item.severity)))      # text: NaN ≠ NaN
        _, windows, hidden = found.get(key, (item, np.zeros(len(layout), bool), True))
        if not item.hidden:
            answers, touches = _answering(layout, item, homography(row.frames[item.frame].view))
            windows = windows | (answers & seen)
            touched |= touches
        found[key] = (item, windows, hidden and item.hidden)
    defects = []
    for item, windows, hidden in found.values():
        labels[windows] = 1 + classes.index(item.defect)
        defects.append(Defective(item.defect, item.component, float(item.severity), hidden, np.flatnonzero(windows)))
    labels[touched & (labels == GOOD)] = UNDECIDED
    return Truth(labels, tuple(defects))


def _answering(layout: Layout, item: Any, matrix: F64) -> tuple[Bool, Bool]:
    """Which windows answer for a labelled object's visible pixels, and which are merely touched by them, each (L,)."""
    left, top, width, height = item.box
    y, x = np.nonzero(item.visible()[top:top + height, left:left + width])
    stride = max(1, len(x) // POINTS)
    points = apply(np.linalg.inv(matrix), np.column_stack([x + left, y + top])[::stride] + 0.5)
    half = layout.side[:, None] / 2
    window = _inside(points, layout.center - half, layout.center + half)
    core = _inside(points, layout.core[:, :2], layout.core[:, 2:])
    held = core.sum(axis=1)
    answers = (held > 0) & (held * stride >= min(ENOUGH, HALF * len(points) * stride))
    cell, own = np.array([[not p, p == item.component] for p in layout.parts]).T
    if item.component and own.any():
        answers &= own
        if not answers.any():                  # thrown off its place: the empty place shows it
            far = np.hypot(*(layout.center - points.mean(axis=0)).T)
            answers[np.where(own, far, np.inf).argmin()] = True
    elif core[~cell].any(axis=0).mean() >= HALF:
        answers &= ~cell
    return answers, window.any(axis=1) & ~answers


def _inside(points: F64, low: F64, high: F64) -> Bool:
    """(L, N): point n lies in box l."""
    return np.asarray(((points[None] >= low[:, None]) & (points[None] < high[:, None])).all(axis=2))


__all__ = ["GOOD", "UNDECIDED", "Defective", "Picture", "Truth", "extract", "pictures", "truth"]
