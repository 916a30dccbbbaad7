"""Cameras that were changed in a stage: the nominal ones with ``scenes.edits.CameraEdit`` applied. Board frame [m]."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain_randomization.views import SIDE_MAX
from scenes.edits import CameraEdit
from scenes.errors import RecipeError, SceneError
from scenes.optics import Camera
from scenes.scene import CameraSpec

SAME = 1e-9                                    # [m] cameras this close are in one place
ABOVE, BELOW = 30e-3, 10e-3                    # [m] tallest parts, and pins below the board, that stay within the clipping range


def edited(cameras: Sequence[Camera], authored: Sequence[Camera], spec: CameraSpec,
           box: tuple[float, float, float, float]) -> tuple[Camera, ...]:
    """The cameras of an instrument with the edits of its ``spec``.

    Args:
        cameras: Nominal ones as the recipe asks for them.
        authored: Nominal ones of the scene alone, which its stage was written with. They must stand in the same places: an
            edit is of one frame, and a recipe that cuts the product otherwise has no such frame.
        box: Extent of the product (x0, y0, x1, y1): the clipping range is widened to hold it where it was not edited itself.

    Raises:
        RecipeError: the recipe's frames are others than those that were edited; its pixel size makes one larger than 8192 pixels.
        SceneError: an edit of a tile that the scene does not have; no camera is left.
    """
    if len(cameras) != len(authored) or any(np.abs(a.pose - b.pose).max() > SAME for a, b in zip(cameras, authored, strict=True)):
        raise RecipeError(f"frames: cameras of '{spec.name}' were edited in the scene's stage, and these frames are others "
                          f"({len(cameras)} instead of {len(authored)}, or elsewhere); keep the scene's view, width, height and "
                          "overlap (pixel_um may differ), or generate from the scene without edits")
    made: dict[int, Camera] = dict(enumerate(cameras))
    new: list[Camera] = []
    for edit in spec.edits:
        if edit.tile < 0:
            if not edit.removed:
                new.append(_changed(replace(cameras[0], name=edit.camera.removeprefix("Camera_")), authored[0], edit, box))
        elif edit.tile >= len(cameras):
            raise SceneError(f"edits.cameras: {edit.camera} is tile {edit.tile}; the scene's camera '{spec.name}' has "
                             f"{len(cameras)}, counted from 0")
        elif edit.removed:
            made.pop(edit.tile, None)
        else:
            made[edit.tile] = _changed(cameras[edit.tile], authored[edit.tile], edit, box)
    if not made and not new:
        raise SceneError(f"edits.cameras: no camera of '{spec.name}' is left; keep one in the stage")
    return (*made.values(), *new)


def _changed(camera: Camera, authored: Camera, edit: CameraEdit, box: tuple[float, float, float, float]) -> Camera:
    """One camera as edited. Pixel sizes and counts keep the recipe's ratio to the scene's."""
    ratio = camera.pixel_size / authored.pixel_size
    values: dict[str, object] = {}
    if edit.pixel_size is not None:
        values["pixel_size"] = edit.pixel_size * ratio
    for side in ("width", "height"):
        if (count := getattr(edit, side)) is not None:
            values[side] = max(1, round(count * getattr(camera, side) / getattr(authored, side)))
    if edit.pose is not None:
        values["pose"] = np.array(edit.pose, np.float64).reshape(4, 4)
    if edit.distance is not None:
        values["distance"] = edit.distance
    if edit.model is not None:
        values["model"] = edit.model
    out = replace(camera, **values)            # type: ignore[arg-type]
    if (longer := max(out.width, out.height)) > SIDE_MAX:
        pixel = camera.pixel_size * 1e6 * longer / SIDE_MAX
        raise RecipeError(f"frames.pixel_um: the camera '{edit.camera}' as edited has {out.width} × {out.height} pixels, more "
                          f"than {SIDE_MAX}; use {pixel:.3g} µm or more")
    if edit.clip is not None:
        return replace(out, near=edit.clip[0], far=edit.clip[1])
    near, far = _reach(out.pose, box)
    return replace(out, near=min(out.near, max(near, 0.25 * out.near)), far=max(out.far, far))


def _reach(pose: NDArray[np.float64], box: tuple[float, float, float, float]) -> tuple[float, float]:
    """Nearest and farthest depth of the product along a camera's axis [m]."""
    x0, y0, x1, y1 = box
    corners = np.array([(x, y, z) for x in (x0, x1) for y in (y0, y1) for z in (-BELOW, ABOVE)])
    depth = (pose[:3, 3] - corners) @ pose[:3, 2]
    return float(depth.min()), float(depth.max())


__all__ = ["edited"]
