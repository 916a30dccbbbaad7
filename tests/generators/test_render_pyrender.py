"""The pyrender adapter against the gl renderer: two programs, one contract."""
from __future__ import annotations

import numpy as np
import pytest
import render_scene as made
from scipy import ndimage

from generators.masks import pasted
from generators.render import open_renderer
from generators.render.pyrender_adapter import lamps_for
from scenes.errors import BackendError, BackendUnavailable, InputError
from scenes.geometry import PartKind
from scenes.optics import Directional, Lighting, Look, Ring, looking_down

LIGHT = Lighting(rings=(Ring(0.2, 0.6, (0.5, 0.5, 0.5)),), dome=(0.4, 0.4, 0.4))


def opened(name):
    try:
        return open_renderer(name)
    except BackendUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def both():
    pair = opened("gl"), opened("pyrender")
    yield pair
    for renderer in pair:
        renderer.close()


@pytest.fixture(scope="module")
def board():
    return made.board(2)


@pytest.mark.parametrize("model", ["telecentric", "perspective"])
def test_labels_agree_away_from_edges(both, board, model):
    camera = looking_down("top", (4e-3, 4e-3), 25e-6, 400, 320, model=model, roll=0.3)
    a, b = (renderer.render(board, camera, LIGHT, Look()) for renderer in both)
    code = a.instance.astype(np.int64) * 16 + a.part
    inside = ndimage.maximum_filter(code, 3) == ndimage.minimum_filter(code, 3)
    assert inside.mean() > 0.6
    assert (a.instance == b.instance)[inside].mean() >= 0.999
    assert (a.part == b.part)[inside].mean() >= 0.999
    solid = inside & np.isfinite(a.depth) & np.isfinite(b.depth)
    assert (np.abs(a.depth[solid] - b.depth[solid]) < 3e-6).mean() >= 0.999
    assert np.array_equal(np.isinf(a.depth)[inside], np.isinf(b.depth)[inside])
    assert (np.abs(a.normal[solid] - b.normal[solid]).max(axis=-1) < 0.02).mean() >= 0.99
    assert b.rgb.dtype == np.uint8 and b.rgb.shape == a.rgb.shape and b.part.dtype == np.uint16
    # the same board at a glance: gold is gold, lacquer is green
    gold, green = (b.rgb[inside & (b.part == kind)].astype(int) for kind in (PartKind.PAD, PartKind.BOARD))
    assert gold[:, 0].mean() > gold[:, 2].mean() + 20
    assert np.median(green[:, 1] - green[:, 0]) > 0


def test_silhouettes_agree(both, board):
    camera = looking_down("top", (3e-3, 3e-3), 25e-6, 300, 300)
    ids = [1, 2, 5, 6, 999]
    a, b = (renderer.silhouettes(board, camera, ids) for renderer in both)
    assert set(a) == set(b)
    for i in a:
        ours, theirs = (pasted([found[i]], (300, 300))[0] for found in (a, b))
        assert (ours ^ theirs).mean() < 0.002


def test_new_look_and_lamps_change_the_picture_only(both):
    board = made.board(1)
    camera = looking_down("top", (3e-3, 3e-3), 40e-6, 160, 160)
    renderer = both[1]
    first = renderer.render(board, camera, LIGHT, Look())
    lamp = Lighting(directional=(Directional((0.5, 0, 0.8), (1, 1, 1)),))
    other = renderer.render(board, camera, lamp, Look(mask=(0.5, 0.0, 0.0)))
    again = renderer.render(board, camera, LIGHT, Look())
    assert np.array_equal(first.instance, other.instance) and np.array_equal(first.rgb, again.rgb)
    assert not np.array_equal(first.rgb, other.rgb)


def test_lamps_keep_the_light_on_a_level_surface():
    ambient, lamps = lamps_for(LIGHT)
    level = np.asarray(ambient) + sum(np.asarray(lamp.irradiance) * lamp.direction[2] for lamp in lamps)
    expected = 0.4 + 0.5 * (np.sin(0.6) ** 2 - np.sin(0.2) ** 2)
    assert np.allclose(level, expected, rtol=1e-6) and len(lamps) == 4
    assert len(lamps_for(Lighting(directional=(Directional((0, 0, 1), (1, 1, 1)),)))[1]) == 1


def test_bad_input_and_a_closed_renderer(both):
    """The last one: it closes the renderer."""
    renderer = both[1]
    camera = looking_down("top", (3e-3, 3e-3), 40e-6, 32, 32)
    with pytest.raises(InputError, match="unknown"):
        renderer.render(made.board(0), camera, LIGHT, Look(), outputs={"thermal"})
    both[0].close()
    renderer.close()
    with pytest.raises(BackendError, match="open a new one"):
        renderer.render(made.board(0), camera, LIGHT, Look())
