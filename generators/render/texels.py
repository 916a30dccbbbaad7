"""The board's artwork under the pixels of a picture: for renderers that draw the board without our shader."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.geometry import Coverage
from scenes.optics import Camera

ON_TOP = 5e-6                                  # [m] from z = 0 within which a pixel shows the board's top


def under(cover: Coverage, camera: Camera, depth: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Texels under every pixel of a picture, (H, W, 4); bare laminate where it does not show the board's top.

    Args:
        depth: (H, W) [m] along the optical axis, +inf where nothing is. A renderer whose depth is not good to ``ON_TOP`` gives
            that of ``plane`` where it shows the top, and +inf elsewhere.
    """
    x, y = _places(camera)
    z = np.where(np.isfinite(depth), depth, 0).astype(np.float64)
    scale = 1.0 if camera.model == "telecentric" else z / camera.distance
    points = np.stack([x * scale, y * scale, -z], axis=-1) @ camera.pose[:3, :3].T + camera.pose[:3, 3]
    height, width = cover.texels.shape[:2]
    column = ((points[..., 0] - cover.origin[0]) / cover.texel_size).astype(np.int64).clip(0, width - 1)
    row = (height - (points[..., 1] - cover.origin[1]) / cover.texel_size).astype(np.int64).clip(0, height - 1)
    return np.where((np.abs(points[..., 2]) < ON_TOP)[..., None], cover.texels[row, column], np.array([0, 0, 0, 255], np.uint8))


def plane(camera: Camera) -> NDArray[np.float64]:
    """Depth [m] of the plane z = 0 in every pixel, (H, W)."""
    x, y = _places(camera)
    turn, origin = camera.pose[2, :3], camera.pose[2, 3]
    if camera.model == "telecentric":          # origin + R (x, y, −t): z = 0
        return np.asarray((origin + turn[0] * x + turn[1] * y) / turn[2])
    return np.asarray(-origin / ((turn[0] * x + turn[1] * y) / camera.distance - turn[2]))


def _places(camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y [m] of every pixel in the focus plane, camera frame."""
    x, y = np.meshgrid((np.arange(camera.width) + 0.5 - camera.width / 2) * camera.pixel_size,
                       -(np.arange(camera.height) + 0.5 - camera.height / 2) * camera.pixel_size)
    return x, y


def drilled(texels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where there is a hole or no board, (H, W), of texels as in ``Coverage``."""
    return np.asarray(texels[..., 3] < 128)


def pads(texels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where copper lies open, (H, W)."""
    return np.asarray(texels[..., 0].astype(np.uint32) * texels[..., 1] > 32512)


__all__ = ["ON_TOP", "drilled", "pads", "plane", "under"]
