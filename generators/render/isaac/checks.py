"""A picture held against the geometry that it should show. Labels that belong to another frame would be worse than none."""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generators.masks import id_boxes
from generators.render.texels import plane
from generators.render.view import outlines, spans
from scenes.errors import BackendError
from scenes.geometry import BOARD_ID, Geometry
from scenes.optics import Camera

MARGIN = 2.0                                   # [px] that an edge may lie beside where it is projected
FAR = 2e-3                                     # relative error of the board's depth


def check_frame(instance: NDArray[np.uint32], depth: NDArray[np.float32], geometry: Geometry, camera: Camera) -> None:
    """Every id must be one of the unit's, lie inside its own projected box, and the board where a plane at z ≤ 0 is.

    This finds a camera with another frustum, a pose or a shape of the frame before, and a depth in other units.

    Raises:
        BackendError: names the id.
    """
    boxes = {i: box for i, box in id_boxes(instance).items() if i != 0}
    known = {BOARD_ID, *np.unique(geometry.soup.instance).tolist(), *(d.instance for d in geometry.decals)}
    for group in geometry.instances:
        known.update(group.instance.tolist())
    strange = sorted(set(boxes) - known)
    if strange:
        raise BackendError(f"renderer 'isaac': label id {strange[0]} is seen, but the unit has none of it; the worker's stage is "
                           "not the one that was asked for: open a new renderer")
    ids = sorted(set(boxes) - {BOARD_ID})
    if ids:
        owner, point = outlines(ids, geometry)
        low, high = spans(owner, camera.project(point), len(ids))
        for i, (x0, y0), (x1, y1) in zip(ids, low, high, strict=True):
            rows, columns = boxes[i]
            beside = max(x0 - columns.start, columns.stop - x1, y0 - rows.start, rows.stop - y1)
            if beside > MARGIN:
                raise BackendError(f"renderer 'isaac': label id {i} is drawn {beside:.0f} px beside where it is; the picture is "
                                   "of another camera or unit: run again, with more LINETWIN_ISAAC_SUBFRAMES if it comes back")
    board = instance == BOARD_ID
    if board.any() and not np.isfinite(depth[board]).all():
        raise BackendError("renderer 'isaac': the board is seen without a depth; open a new renderer")
    if board.any():
        expected = plane(camera)
        error = np.median(np.abs(depth[board] / expected[board] - 1))
        if error > FAR:
            raise BackendError(f"renderer 'isaac': the board's depth is {error:.1%} off; the stage's units or the camera are not "
                               "those that were asked for: open a new renderer")


__all__ = ["check_frame"]
