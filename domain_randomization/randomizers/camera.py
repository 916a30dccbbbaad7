"""The camera: where it is, how it is turned, how sharp and how noisy."""
from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from domain_randomization.recipe import CameraRange
from scenes.optics import Camera, Lighting


class Jitter(NamedTuple):
    """What one sample's camera does. It is the same for all frames of the sample: one camera, one moment."""

    offset: tuple[float, float]                # [m] in the board frame
    roll: float                                # [rad] about the view axis, counter-clockwise
    tilt: tuple[float, float]                  # [rad] about the camera's x and y, around the focus point
    scale: float                               # [1] on the pixel size
    blur: float                                # [px] standard deviation
    noise: float                               # [1] standard deviation, of full scale


STILL = Jitter((0.0, 0.0), 0.0, (0.0, 0.0), 1.0, 0.0, 0.0)     # as authored


def draw_jitter(ranges: CameraRange, rng: np.random.Generator) -> Jitter:
    """Draw a Jitter from the sample's ``"camera"`` stream: always 8 draws."""
    u = rng.random(8).tolist()
    return Jitter((ranges.offset_um.at(u[0]) * 1e-6, ranges.offset_um.at(u[1]) * 1e-6), math.radians(ranges.roll_deg.at(u[2])),
                  (math.radians(ranges.tilt_deg.at(u[3])), math.radians(ranges.tilt_deg.at(u[4]))),
                  ranges.scale.at(u[5]), ranges.blur_px.at(u[6]), ranges.noise.at(u[7]))


def moved(camera: Camera, jitter: Jitter) -> Camera:
    """The camera with its pose and pixel size changed; the focus point moves by the offset only."""
    (cx, sx), (cy, sy) = ((math.cos(a), math.sin(a)) for a in jitter.tilt)
    cz, sz = math.cos(jitter.roll), math.sin(jitter.roll)
    turn = (np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1.0]])
            @ np.array([[cy, 0, sy], [0, 1.0, 0], [-sy, 0, cy]]) @ np.array([[1.0, 0, 0], [0, cx, -sx], [0, sx, cx]]))
    back = np.array([0.0, 0.0, camera.distance])                          # focus point → camera, in camera axes
    focus = camera.pose[:3, 3] - camera.pose[:3, :3] @ back
    pose = camera.pose.copy()
    pose[:3, :3] = camera.pose[:3, :3] @ turn
    pose[:3, 3] = focus + [*jitter.offset, 0.0] + pose[:3, :3] @ back
    return replace(camera, pose=pose, pixel_size=camera.pixel_size * jitter.scale)


def seen_by(lighting: Lighting, jitter: Jitter) -> Lighting:
    """Lighting as this camera records it: its blur and noise are added in quadrature to the scene's."""
    return replace(lighting, blur=math.hypot(lighting.blur, jitter.blur), noise=math.hypot(lighting.noise, jitter.noise))


__all__ = ["STILL", "Jitter", "draw_jitter", "moved", "seen_by"]
