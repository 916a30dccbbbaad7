"""Layout: where on the board a model looks, as windows in the board frame.

A layout is taught once, from the *training* units: the box of every part is the median over the units where that part
is good, a grid of cells covers the rest of the board. It is then part of the model, like the program of an inspection
machine. When a unit is inspected, only this layout and the camera's pose are used; no label of that unit is.

Frame: the board frame of the side that is up [m], z = 0. Shapes: L windows.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import DatasetError
from scenes.optics import Camera

CROP = 64                  # crop side [px]
REACH = 0.4e-3             # [m] beyond its body that a part answers for: lands, fillets and bridges lie there
MARGIN = 6                 # surroundings shown around that [image px]
MAX_SCALE = 2.0            # image px per crop px up to which a part stays in one window
CELL_SCALE = 2.3           # image px per crop px of a cell of the grid
TAUGHT = 25                # good boxes per part that a median is taken over
EPSILON = 1e-9

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Layout:
    """L square windows. A window answers for its ``core``; what lies between core and border is surroundings."""
    names: tuple[str, ...]                     # (L,) "R3", "U2#4" for a window of a large part, "cell:2,5"
    parts: tuple[str, ...]                     # (L,) reference designator, "" for a cell
    center: F64                                # (L, 2) [m]
    side: F64                                  # (L,) [m] of the whole window
    core: F64                                  # (L, 4) x0, y0, x1, y1 [m]
    pixel_size: float                          # [m] of the images that it was taught from

    def __len__(self) -> int:
        return len(self.names)

    @property
    def components(self) -> tuple[str, ...]:
        """Reference designators, in order, once each."""
        return tuple(dict.fromkeys(p for p in self.parts if p))


def homography(view: Mapping[str, Any]) -> F64:
    """Board plane z = 0 → pixel, (3, 3) acting on (x, y, 1); exact for both camera models."""
    distance = float(view.get("distance", 0.2))
    camera = Camera("view", int(view["width"]), int(view["height"]), float(view["pixel_size"]),
                    np.asarray(view["pose"], np.float64).reshape(4, 4), distance, view["model"],
                    max(distance - 0.05, distance * 0.5), distance + 0.02)
    clip = (camera.projection() @ camera.view())[np.ix_([0, 1, 3], [0, 1, 3])]
    to_pixel = np.array([[camera.width / 2, 0, camera.width / 2], [0, -camera.height / 2, camera.height / 2], [0, 0, 1.0]])
    return np.asarray(to_pixel @ clip)


def apply(matrix: NDArray[np.floating[Any]], points: NDArray[np.floating[Any]]) -> F64:
    """Points (N, 2) through a homography (3, 3)."""
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def corners(box: F64) -> F64:
    """The four corners (4, 2) of a box x0, y0, x1, y1."""
    x0, y0, x1, y1 = box
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def taught(rows: Iterable[Any]) -> Layout:
    """The layout that these training units teach.

    Args:
        rows: Rows of a Dataset, training split only.

    Raises:
        DatasetError: No unit, no RGB frame, or no good part among them.
    """
    boxes: dict[str, list[F64]] = {}
    extent: list[F64] = []
    pixel_size = 0.0
    for row in rows:
        to_board = [np.linalg.inv(homography(f.view)) for f in row.frames]
        if len(extent) < TAUGHT:
            views = [f.view for f in row.frames]
            pixel_size = pixel_size or float(views[0]["pixel_size"])
            ends = np.concatenate([apply(m, corners(np.array([0, 0, v["width"], v["height"]], float)))
                                   for m, v in zip(to_board, views, strict=True)])
            extent.append(np.concatenate([ends.min(axis=0), ends.max(axis=0)]))
        for item in row.instances:
            if item.defect or item.hidden or not item.component or len(boxes.get(item.component, ())) >= TAUGHT:
                continue
            pixels = item.box
            view = row.frames[item.frame].view
            if pixels is None or _touches(pixels, view):
                continue                       # cut by the frame's border: another tile shows the whole part
            x, y, w, h = pixels
            ends = apply(to_board[item.frame], corners(np.array([x, y, x + w, y + h], float)))
            boxes.setdefault(item.component, []).append(np.concatenate([ends.min(axis=0), ends.max(axis=0)]))
    if not extent or not boxes:
        raise DatasetError("dataset: no good part in the training split; generate units with 'good' parts labelled")
    return build({part: np.median(found, axis=0) for part, found in sorted(boxes.items())},
                 np.median(extent, axis=0), pixel_size)


def _touches(pixels: tuple[int, int, int, int], view: Mapping[str, Any]) -> bool:
    x, y, w, h = pixels
    return x == 0 or y == 0 or x + w >= int(view["width"]) or y + h >= int(view["height"])


def build(boxes: Mapping[str, F64], extent: F64, pixel_size: float) -> Layout:
    """Windows for the boxes of bodies [m] and a grid of cells over ``extent`` (x0, y0, x1, y1) [m], at this resolution [m]."""
    names: list[str] = []
    parts: list[str] = []
    core: list[F64] = []
    side: list[float] = []
    margin = MARGIN * pixel_size

    def add(name: str, part: str, box: F64, least: float) -> None:
        names.append(name)
        parts.append(part)
        core.append(box)
        side.append(max(float((box[2:] - box[:2]).max()) + 2 * margin, least))

    limit = CROP * MAX_SCALE * pixel_size - 2 * margin
    for part, box in boxes.items():
        pieces = split(box + np.array([-REACH, -REACH, REACH, REACH]), limit)
        for k, piece in enumerate(pieces):
            add(part if len(pieces) == 1 else f"{part}#{k}", part, piece, CROP * pixel_size)
    step = CROP * CELL_SCALE * pixel_size - 2 * margin
    columns = max(1, int(np.ceil((extent[2] - extent[0]) / step - EPSILON)))
    for k, piece in enumerate(split(extent, step)):
        add(f"cell:{k // columns},{k % columns}", "", piece, CROP * pixel_size)
    cores = np.array(core)
    return Layout(tuple(names), tuple(parts), (cores[:, :2] + cores[:, 2:]) / 2, np.array(side), cores, pixel_size)


def split(box: F64, limit: float) -> list[F64]:
    """A box cut into equal pieces no longer than ``limit`` [m] on either side, row by row."""
    low, high = box[:2], box[2:]
    columns, rows = np.maximum(1, np.ceil((high - low) / limit - EPSILON)).astype(int)
    xs, ys = np.linspace(low[0], high[0], columns + 1), np.linspace(low[1], high[1], rows + 1)
    return [np.array([xs[c], ys[r], xs[c + 1], ys[r + 1]]) for r in range(rows) for c in range(columns)]


__all__ = ["CROP", "Layout", "apply", "build", "corners", "homography", "split", "taught"]
