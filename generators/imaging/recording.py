"""A renderer's light, as the camera of a station records it: lens, conveyor and sensor where it has them.

A ``Camera`` without a sensor is ideal: what arrives is stored as it is, with the blur and noise of ``Lighting`` alone.
"""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.imaging.aoi import record
from generators.imaging.distortion import Warp, distort_points, enlarged, warp
from generators.render import develop
from scenes.instruments.aoi import Lens, Motion
from scenes.optics import Camera, Lighting


def recorded(scene: NDArray[Any], camera: Camera, lighting: Lighting, seed: int,
             depth: NDArray[np.float32] | None = None) -> NDArray[np.uint8]:
    """sRGB uint8 (H, W, 3).

    Args:
        scene: Light as codes, uint32 (H, W), or sRGB bytes of a renderer that gives nothing better, uint8 (H, W, 3).
        lighting: Its ``blur`` and ``noise`` are added to the camera's own.
        depth: (H, W) [m] along the optical axis, for a lens with a height of best focus; without it everything is in focus.
    """
    if camera.sensor is None:
        if scene.dtype == np.uint8:
            return develop.finish(scene, lighting.blur, lighting.noise, seed)
        return develop.develop(scene, lighting.blur, lighting.noise, seed)
    light = develop.decode(scene) if scene.dtype == np.uint8 else scene
    lens = (camera.lens or Lens()).softer(lighting.blur * camera.pixel_size)
    motion = (camera.motion or Motion()).seen_from(camera.pose)
    height = None if depth is None else np.float32(camera.distance) - depth
    return record(light, camera.sensor.noisier(lighting.noise), lens, motion, camera.pixel_size, seed, height)


def bent(camera: Camera) -> Warp | None:
    """The map from an ideal picture to this camera's, None where its lens does not distort."""
    return warp(camera, camera.lens) if camera.lens is not None and camera.lens.distorts else None


def ideal(camera: Camera) -> Camera:
    """The camera that a renderer draws: a margin more where the lens distorts, else the same."""
    return enlarged(camera, camera.lens) if camera.lens is not None else camera


def shown_at(camera: Camera, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Board points (N, 3) [m] → pixel coordinates (N, 2) in the recorded picture, distortion included."""
    pixels = camera.project(points)
    if camera.lens is None or not camera.lens.distorts:
        return pixels
    return distort_points(pixels, camera.lens, camera.width, camera.height)


__all__ = ["bent", "ideal", "recorded", "shown_at"]
