"""A clip: frames of one unit at a rate, while the conveyor carries it past the colour camera and the lamps flicker.

The unit, its look, the camera's small errors and the lamps are drawn once, as for a still picture. Between frames three things
change: where the board is, how bright the lamps are just then, and the noise. Ids of things are therefore the same in all frames.

Times count from the clip's first frame and mean the middle of an exposure. Frame ``frames // 2`` shows the board where a still
picture would.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from domain_randomization.recipe import Clip
from generators.imaging.flicker import Flicker
from scenes.errors import RecipeError
from scenes.instruments.aoi import Motion
from scenes.optics import Camera

PIXELS_MAX = 100e6                             # of a sample's clip. One sample is one row: encoded, it is held as a whole, and
#                                                Arrow and Parquet copy it; 60 megapixels with every label take 1.5 GB


@dataclass(frozen=True)
class Moment:
    """One frame of a clip."""
    number: int                                # in its clip, from 0
    time: float                                # [s] middle of the exposure
    way: tuple[float, float]                   # [m] of the board from where a still picture shows it, board frame
    light: float                               # [1] of the lamps over this exposure, relative to their mean
    seed: int                                  # of its noise

    def taken_by(self, camera: Camera) -> Camera:
        """The camera as the board sees it: it goes the other way."""
        pose = camera.pose.copy()
        pose[:2, 3] -= self.way
        return replace(camera, pose=pose)


def draw_lamps(clip: Clip, rng: np.random.Generator) -> Flicker:
    """How this sample's lamps flicker: mains know nothing of the camera's clock. Always 2 draws."""
    depth, phase = rng.random(2).tolist()
    return Flicker(2.0 * clip.mains_hz, clip.flicker.at(depth), 2 * math.pi * phase)


def moments(clip: Clip, motion: Motion, lamps: Flicker, rng: np.random.Generator) -> tuple[Moment, ...]:
    """Every frame of a clip.

    Args:
        motion: Of the board, in its own frame, and the exposure.
        rng: Of the seeds of the noise, one draw per frame.
    """
    made = []
    for k, seed in enumerate(rng.integers(1 << 31, size=clip.frames).tolist()):
        time, since = k / clip.rate_hz, (k - clip.frames // 2) / clip.rate_hz
        way = (motion.speed * math.cos(motion.direction) * since, motion.speed * math.sin(motion.direction) * since)
        made.append(Moment(k, time, way, lamps.factor(time - motion.exposure / 2, motion.exposure), seed))
    return tuple(made)


def check_clip(clip: Clip, camera: Camera, times: int) -> None:
    """Whether ``camera`` can take it, ``times`` times a sample.

    Raises:
        RecipeError: too many pixels for one sample; a shutter that is open for longer than from frame to frame.
    """
    pixels = clip.frames * times * camera.width * camera.height
    if pixels > PIXELS_MAX:
        raise RecipeError(f"clip.frames: {clip.frames * times} frames of {camera.width} × {camera.height} are "
                          f"{pixels * 1e-6:.0f} megapixels a sample; no more than {PIXELS_MAX * 1e-6:.0f}: ask for fewer frames, "
                          "a larger frames.pixel_um, or view: tiles with a smaller width and height")
    exposure = (camera.motion or Motion()).exposure
    if exposure * clip.rate_hz > 1:
        raise RecipeError(f"clip.rate_hz: a frame every {1e6 / clip.rate_hz:.0f} µs, but the shutter is open for "
                          f"{exposure * 1e6:.0f} µs; lower the rate or the scene's motion.exposure_us")


__all__ = ["PIXELS_MAX", "Moment", "check_clip", "draw_lamps", "moments"]
