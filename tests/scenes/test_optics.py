"""Cameras: projection against the pinhole and telecentric formulas."""
from __future__ import annotations

import numpy as np
import pytest

from scenes.optics import looking_down


@pytest.mark.parametrize("model", ["telecentric", "perspective"])
def test_focus_plane_has_the_stated_pixel_size(model):
    camera = looking_down("c", (0.01, 0.02), 20e-6, 400, 300, model=model)
    points = np.array([[0.01, 0.02, 0.0], [0.01 + 20e-6 * 100, 0.02, 0.0], [0.01, 0.02 + 20e-6 * 50, 0.0]])
    assert camera.project(points) == pytest.approx(np.array([[200, 150], [300, 150], [200, 100]]), abs=1e-6)


def test_telecentric_scale_does_not_depend_on_height_and_perspective_follows_the_pinhole():
    """x' = x · d / (d − z): a point 10 mm nearer to a pinhole 200 mm away is 200/190 larger."""
    up = np.array([[0.002, 0.0, 0.010]])
    flat = looking_down("c", (0, 0), 20e-6, 400, 400).project(up)
    near = looking_down("c", (0, 0), 20e-6, 400, 400, model="perspective").project(up)
    assert flat[0, 0] == pytest.approx(200 + 100)
    assert near[0, 0] == pytest.approx(200 + 100 * 200 / 190)


def test_depth_range_maps_to_clip_space_ends():
    camera = looking_down("c", (0, 0), 20e-6, 64, 64, model="perspective")
    for depth, expected in ((camera.near, -1.0), (camera.far, 1.0)):
        clip = camera.projection() @ np.array([0, 0, -depth, 1.0])
        assert clip[2] / clip[3] == pytest.approx(expected)


def test_roll_turns_the_picture():
    camera = looking_down("c", (0, 0), 1e-5, 200, 200, roll=np.pi / 2)
    # the camera's +x axis points along board +y
    assert camera.project(np.array([[0.0, 5e-4, 0.0]])) == pytest.approx(np.array([[150, 100]]), abs=1e-6)
