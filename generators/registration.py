"""Registration: from one frame's pixels to another's, whatever took them.

Every frame stores its camera, so nothing has to be estimated. Between two frames the map depends on the height above the
board: exact in the plane that is asked for, off by parallax elsewhere (none between two telecentric cameras that look down).
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.optics import Camera

F64 = NDArray[np.float64]


def homography(source: Camera, target: Camera, height: float = 0.0) -> F64:
    """(3, 3): homogeneous pixel coordinates of ``source`` → those of ``target``, for points ``height`` [m] above the board.

    Pixel coordinates are those of ``Camera.project``: x right, y down, (0, 0) the outer corner of the first pixel.
    """
    return np.asarray(plane_to_pixels(target, height) @ np.linalg.inv(plane_to_pixels(source, height)))


def plane_to_pixels(camera: Camera, height: float) -> F64:
    """(3, 3): (x, y, 1) [m] in the plane ``height`` above the board → homogeneous pixel coordinates."""
    clip = camera.projection() @ camera.view()
    w, h = camera.width / 2, camera.height / 2
    pixels = np.array([w * (clip[0] + clip[3]), h * (clip[3] - clip[1]), clip[3]])     # rows of x, y and weight, of (x, y, z, 1)
    return np.column_stack([pixels[:, 0], pixels[:, 1], pixels[:, 2] * height + pixels[:, 3]])


def carried(points: NDArray[np.floating], matrix: F64) -> F64:
    """Points (N, 2) through a homography, (N, 2)."""
    moved = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


__all__ = ["carried", "homography", "plane_to_pixels"]
