"""Lens distortion: its formula, its inverse, and that picture and labels are bent alike."""
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import render_scene as made
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from generators.imaging import distortion
from generators.masks import pasted
from generators.render import develop, open_renderer
from generators.render.protocol import ALL, Buffers
from scenes.errors import BackendUnavailable, SceneError
from scenes.geometry import Geometry, Instances
from scenes.instruments.aoi import Lens
from scenes.optics import Camera, Lighting, Look, looking_down

BARREL, CUSHION = Lens(k1=-0.08, k2=0.01), Lens(k1=0.06)
BENT = Lens(k1=-0.05, k2=0.02, p1=0.004, p2=-0.003)
LENSES = {"barrel": BARREL, "cushion": CUSHION, "tangential": BENT}
lenses = pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES)
small = st.floats(-0.03, 0.03, allow_subnormal=False)


def test_formula_by_hand():
    """640 × 480: half the diagonal is 400 px. A point 200 px right and 100 px below the middle, r² = 0.3125."""
    lens = Lens(k1=-0.1, k2=0.04, p1=0.01, p2=0.02)
    x, y, r2 = 0.5, 0.25, 0.3125
    radial = 1 - 0.1 * r2 + 0.04 * r2**2
    expected = (320 + 400 * (x * radial + 2 * 0.01 * x * y + 0.02 * (r2 + 2 * x * x)),
                240 + 400 * (y * radial + 0.01 * (r2 + 2 * y * y) + 2 * 0.02 * x * y))
    assert distortion.distort_points(np.array([[520.0, 340.0]]), lens, 640, 480)[0] == pytest.approx(expected, abs=1e-9)


def test_opencv_has_the_same_lens():
    """OpenCV divides by the focal length: its k1 is ours times (f / half diagonal)², and so on. Its own formula, written out."""
    lens, (width, height), f = BENT, (640, 480), 900.0
    unit = f / (math.hypot(width, height) / 2)
    k1, k2, p1, p2 = lens.k1 * unit**2, lens.k2 * unit**4, lens.p1 * unit, lens.p2 * unit
    rng = np.random.default_rng(0)
    ideal = rng.uniform((0, 0), (width, height), (50, 2))
    x, y = ((ideal - (width / 2, height / 2)) / f).T
    r2 = x * x + y * y
    radial = 1 + k1 * r2 + k2 * r2**2
    bent = np.stack([x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y], 1)
    assert distortion.distort_points(ideal, lens, width, height) == pytest.approx(bent * f + (width / 2, height / 2), abs=1e-9)


def test_barrel_draws_the_corner_in():
    """k1 = −0.02: by 2 % of the half diagonal."""
    corner = distortion.distort_points(np.array([[640.0, 480.0], [320.0, 240.0]]), Lens(k1=-0.02), 640, 480)
    assert corner == pytest.approx(np.array([[320 + 320 * 0.98, 240 + 240 * 0.98], [320, 240]]))


@settings(max_examples=60)
@given(k1=st.floats(-0.12, 0.2, allow_subnormal=False), k2=small, p1=small.map(lambda v: v / 3), p2=small.map(lambda v: v / 3),
       seed=st.integers(0, 99))
def test_inverse_is_exact(k1, k2, p1, p2, seed):
    lens = Lens(k1=k1, k2=k2, p1=p1, p2=p2)
    points = np.random.default_rng(seed).uniform((0, 0), (1024, 768), (200, 2))
    there = distortion.straighten_points(points, lens, 1024, 768)
    assert np.abs(distortion.distort_points(there, lens, 1024, 768) - points).max() < distortion.TOLERANCE


@lenses
def test_what_is_far_outside_stays_outside(lens):
    """A land ten pictures away must not be folded into this one."""
    turn = np.linspace(0, 2 * np.pi, 200)
    for away in (1.4, 2.0, 3.0, 5.0, 20.0):
        points = np.array([512, 384]) + 640 * away * np.stack([np.cos(turn), np.sin(turn)], 1)
        x, y = distortion.distort_points(points, lens, 1024, 768).T
        assert np.all((x < 0) | (x > 1024) | (y < 0) | (y > 768))
        assert np.all(np.hypot(x - 512, y - 384) > 640)


def test_a_folding_lens_is_refused():
    with pytest.raises(SceneError, match="smaller coefficients"):
        distortion.warp(looking_down("c", (0, 0), 1e-5, 64, 48), Lens(k1=-0.45))


@lenses
def test_the_ideal_picture_holds_all_that_is_seen(lens):
    camera = looking_down("c", (0, 0), 1e-5, 200, 150)
    larger = distortion.enlarged(camera, lens)
    margin = (larger.width - 200) / 2, (larger.height - 150) / 2
    assert larger.pixel_size == camera.pixel_size and np.array_equal(larger.pose, camera.pose)
    corners = np.array([[0, 0], [200, 0], [0, 150], [200, 150], [100, 0], [0, 75]], float)
    place = distortion.straighten_points(corners, lens, 200, 150) + margin
    assert (place >= 1).all() and (place <= (larger.width - 1, larger.height - 1)).all()


def test_without_distortion_nothing_moves():
    camera = looking_down("c", (0, 0), 1e-5, 40, 30)
    assert distortion.enlarged(camera, Lens()) is camera
    ids = np.arange(1200, dtype=np.uint32).reshape(30, 40)
    code = develop.packed(np.random.default_rng(0).random((30, 40, 3), dtype=np.float32))
    still = distortion.warp(camera, Lens())
    assert np.array_equal(still.labels(ids), ids)
    assert np.array_equal(still.light(code), code)


def test_the_map_is_kept():
    camera = looking_down("c", (0, 0), 1e-5, 40, 30)
    assert distortion.warp(camera, BARREL) is distortion.warp(replace(camera, name="other"), replace(BARREL, aperture=0.03))


def discs(camera: Camera, radius: float):
    """An ideal picture of discs, anti-aliased, with ids; and their middles [px]."""
    y, x = np.mgrid[:camera.height, :camera.width] + 0.5
    light, ids = np.full(x.shape, 0.05), np.zeros(x.shape, np.uint32)
    middles = [(cx, cy) for cx in np.arange(40, camera.width - 30, 67.3) for cy in np.arange(40, camera.height - 30, 61.7)]
    for number, (cx, cy) in enumerate(middles, 1):
        cover = np.clip(radius + 0.5 - np.hypot(x - cx, y - cy), 0, 1)
        light += cover * 0.85
        ids[cover > 0.5] = number
    return develop.packed(np.repeat(light[..., None], 3, axis=-1).astype(np.float32)), ids, np.array(middles)


@lenses
def test_picture_and_masks_are_bent_alike(lens):
    """Centroid, outline and overlap of discs in light and in labels, against points that are bent by the formula."""
    camera = looking_down("c", (0, 0), 1e-5, 400, 300)
    larger = distortion.enlarged(camera, lens)
    code, ids, middles = discs(larger, 14.2)
    bend = distortion.warp(camera, lens)
    light = develop.unpack(bend.light(code), 1).astype(float)
    mask = bend.labels(ids)
    offset = np.array([(larger.width - 400) / 2, (larger.height - 300) / 2])
    ring = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    apart = []
    for number, middle in enumerate(middles, 1):
        outline = middle + 14.2 * np.stack([np.cos(ring), np.sin(ring)], 1) - offset
        shown = distortion.distort_points(outline, lens, 400, 300)
        if shown.min() < 3 or (shown > (397, 297)).any():
            continue
        # the outline that the formula gives is where the light is half
        half = ndimage.map_coordinates(light, (shown - 0.5)[:, ::-1].T, order=1)
        steep = 0.85                           # light per pixel across the edge
        assert np.abs(half - (0.05 + 0.85 / 2)).max() / steep < 0.25
        assert abs(half.mean() - (0.05 + 0.85 / 2)) / steep < 0.06
        mine = mask == number
        near = ndimage.binary_dilation(mine, iterations=4)
        bright = (light > 0.05 + 0.85 / 2) & near
        assert (mine & bright).sum() / (mine | bright).sum() > 0.93
        y, x = np.nonzero(near)
        weight = light[near] - 0.05
        by_light = np.array([weight @ (x + 0.5), weight @ (y + 0.5)]) / weight.sum()
        y, x = np.nonzero(mine)
        apart.append(by_light - (x.mean() + 0.5, y.mean() + 0.5))
    assert len(apart) >= 6
    assert np.abs(apart).max() < 0.5           # a label is that of the nearest pixel
    assert np.abs(np.mean(apart, axis=0)).max() < 0.06


def test_every_buffer_goes_through_the_same_map():
    camera = looking_down("c", (0, 0), 1e-5, 60, 50)
    larger = distortion.enlarged(camera, BENT)
    rng = np.random.default_rng(0)
    shape = (larger.height, larger.width)
    ids = rng.integers(0, 9, shape).astype(np.uint32)
    normal = np.repeat(ids[..., None], 3, axis=-1).astype(np.float32)
    ideal = Buffers(None, ids.astype(np.float32), normal, ids, ids.astype(np.uint16))
    bend = distortion.warp(camera, BENT)
    out = bend.buffers(ideal)
    assert out.rgb is None and out.instance is not None and out.instance.dtype == np.uint32
    for other in (out.depth, out.part, out.normal[..., 0], out.normal[..., 2]):
        assert np.array_equal(out.instance, other)
    masks = bend.masks({i: ids == i for i in range(9)})
    assert all(np.array_equal(masks[i], out.instance == i) for i in range(9))


@lenses
def test_through_the_renderer(lens):
    """Chips on a board, drawn ideal and bent: amodal masks and ids belong together; a chip is shown where it should be."""
    try:
        renderer = open_renderer("gl")
    except BackendUnavailable as error:
        pytest.skip(str(error))
    chip = made.chip()
    spots = [(4e-3, 4e-3), (10e-3, 10e-3), (15.5e-3, 5e-3), (5e-3, 15e-3), (16e-3, 16e-3)]
    ids = np.arange(2, 2 + len(spots), dtype=np.uint32)
    geometry = Geometry(made.slab(), (Instances(chip, np.array([made.pose(x, y) for x, y in spots]), ids,
                                                np.ones((len(spots), 3), np.float32), np.full(len(spots), -1, np.int32)),))
    camera = looking_down("c", (10e-3, 10e-3), 28e-6, 640, 560)
    larger = distortion.enlarged(camera, lens)
    ideal = renderer.render(geometry, larger, Lighting(dome=(1, 1, 1)), Look(), outputs=ALL)
    bend = distortion.warp(camera, lens)
    out = bend.buffers(ideal)
    pieces = renderer.silhouettes(geometry, larger, ids.tolist())
    masks = bend.masks({i: pasted([piece], (larger.height, larger.width))[0] for i, piece in pieces.items()})
    renderer.close()
    plain = camera.project(np.array([(x, y, 0.0) for x, y in spots]))
    apart = []
    for i, at in zip(ids.tolist(), distortion.distort_points(plain, lens, camera.width, camera.height), strict=True):
        assert np.array_equal(masks[i], out.instance == i)       # nothing hides them
        y, x = np.nonzero(masks[i])
        apart.append(np.array([x.mean(), y.mean()]) + 0.5 - at)
        assert (out.part[masks[i]] > 0).all()
    assert np.abs(apart).max() < 0.7           # half a pixel, and the bend inside a chip
    assert np.abs(np.mean(apart, axis=0)).max() < 0.3
