"""Cameras that were edited in a stage, as a recipe with its own pixel size takes them."""
from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from domain_randomization.recipe import Frames
from domain_randomization.views import cameras
from scenes.edits import CameraEdit
from scenes.errors import RecipeError
from scenes.scene import CameraSpec

BOX = (0.0, 0.0, 0.08, 0.05)
POSE = tuple(np.array([[1, 0, 0, 0.04], [0, 1, 0, 0.025], [0, 0, 1, 0.2], [0, 0, 0, 1.0]]).ravel().tolist())
NEW = CameraEdit("aoi", "Camera_new", "top", -1, pose=POSE, width=640, height=480, pixel_size=30e-6, distance=0.2)


def _spec(view: Literal["tiles", "board"], *edits: CameraEdit) -> CameraSpec:
    return CameraSpec("top", "telecentric", 20e-6, 1024, 768, view, 0.2, edits=edits)


def test_a_new_camera_takes_the_recipes_pixel_size() -> None:
    """As the authored view does: pixels of 12 instead of 20 µm are 0.6 of the size, and the view has 1 / 0.6 as many."""
    seen = cameras(_spec("board", NEW), Frames(), BOX)[-1]
    assert (seen.name, seen.width, seen.height, seen.pixel_size) == ("new", 640, 480, pytest.approx(30e-6))
    fine = cameras(_spec("board", NEW), Frames(pixel_um=12), BOX)[-1]
    assert fine.pixel_size == pytest.approx(18e-6)
    assert (fine.width, fine.height) == pytest.approx((640 / 0.6, 480 / 0.6), abs=1)       # the same field


def test_a_new_camera_over_one_tile_keeps_its_pixels() -> None:
    small = (0.0, 0.0, 0.004, 0.003)           # one tile, whatever the pixels are
    seen = cameras(_spec("tiles", NEW), Frames(pixel_um=10), small)[-1]
    assert (seen.width, seen.height, seen.pixel_size) == (640, 480, pytest.approx(15e-6))


def test_more_pixels_than_a_frame_has_are_refused() -> None:
    wide = replace(NEW, width=8000)
    assert cameras(_spec("board", wide), Frames(), BOX)[-1].width == 8000
    with pytest.raises(RecipeError, match=r"Camera_new.*pixels, more than 8192; use 19\.\d µm or more") as error:
        cameras(_spec("board", wide), Frames(pixel_um=12), BOX)
    assert "\n" not in str(error.value)
    changed = CameraEdit("aoi", "Camera_top", "top", 0, width=8192)
    with pytest.raises(RecipeError, match="Camera_top"):
        cameras(_spec("board", changed), Frames(pixel_um=15), BOX)
