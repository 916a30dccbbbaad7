"""Single rays against the board's coverage: where they meet it is told by geometry, not by the renderer."""
from __future__ import annotations

import numpy as np
import pytest

from generators.render.view import solid
from scenes.geometry import Coverage
from scenes.optics import Camera, looking_down

TEXEL, SIDE = 10e-6, 200                       # a board of 2 × 2 mm


def board_with_hole(middle, radius):
    """Coverage by area, sampled 8 × 8 per texel; row 0 at the largest y."""
    fine = (np.arange(SIDE * 8) + 0.5) * TEXEL / 8
    open_ = (fine[None, :] - middle[0]) ** 2 + (fine[::-1, None] - middle[1]) ** 2 < radius**2
    share = 1 - open_.reshape(SIDE, 8, SIDE, 8).mean(axis=(1, 3))
    texels = np.zeros((SIDE, SIDE, 4), np.uint8)
    texels[..., 3] = np.round(255 * share)
    return Coverage(texels, (0.0, 0.0), TEXEL)


@pytest.mark.parametrize("model", ["telecentric", "perspective"])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.386, 0.104), (-0.283, 0.283)])
def test_a_hole_is_open_within_a_quarter_of_a_texel_of_its_circle(model, shift):
    middle, radius = (0.8e-3, 1.15e-3), 0.4e-3
    camera = looking_down("c", (0.9e-3, 1.0e-3), 7e-6, 240, 260, model=model)
    where = np.arange(240 * 260)
    found = solid(board_with_hole(middle, radius), camera, where, *shift)
    row, column = np.divmod(where, 240)
    x = 0.9e-3 + (column + 0.5 + shift[0] - 120) * 7e-6        # the focus plane is the board's top: both models agree there
    y = 1.0e-3 - (row + 0.5 + shift[1] - 130) * 7e-6
    inside = (x > 0) & (x < SIDE * TEXEL) & (y > 0) & (y < SIDE * TEXEL)
    away = np.abs(np.hypot(x - middle[0], y - middle[1]) - radius)
    edge = np.minimum(np.minimum(np.abs(x), np.abs(x - SIDE * TEXEL)), np.minimum(np.abs(y), np.abs(y - SIDE * TEXEL)))
    clear = (away > TEXEL / 4) & (edge > TEXEL / 4)
    expected = inside & (np.hypot(x - middle[0], y - middle[1]) > radius)
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(found[clear], expected[clear])


def test_a_tilted_ray_meets_the_board_where_the_plane_is():
    tilt = np.deg2rad(30)
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]]
    pose[:3, 3] = np.array([1.0e-3, 1.0e-3, 0]) + 0.2 * pose[:3, 2]
    camera = Camera("tilted", 101, 101, 10e-6, pose)
    half = np.zeros((SIDE, SIDE, 4), np.uint8)
    half[:, :123, 3] = 255                     # solid for x < 1.23 mm
    found = solid(Coverage(half, (0.0, 0.0), TEXEL), camera, 50 * 101 + np.arange(101), 0.0, 0.0)
    x = 1.0e-3 + (np.arange(101) - 50) * 10e-6 / np.cos(tilt)
    np.testing.assert_array_equal(found, x < 1.23e-3)


def test_a_ray_along_the_board_meets_nothing():
    pose = np.array([[0, 0, 1.0, 0.2], [1, 0, 0, 1e-3], [0, 1, 0, 1e-3], [0, 0, 0, 1]])
    camera = Camera("along", 8, 8, 10e-6, pose)
    full = np.full((SIDE, SIDE, 4), 255, np.uint8)
    assert not solid(Coverage(full, (0.0, 0.0), TEXEL), camera, np.arange(64), 0.0, 0.0).any()
