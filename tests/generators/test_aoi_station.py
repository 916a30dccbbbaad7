"""The AOI station through the gl renderer: colour rings on a solder-like cap (check C2), lenses against height (C4)."""
from __future__ import annotations

import math

import numpy as np
import pytest
import render_scene as made

from generators.imaging import aoi
from generators.render import lighting
from generators.render.develop import decode
from generators.render.protocol import ALL
from scenes import materials
from scenes.geometry import Geometry, Instances, PartKind, Soup
from scenes.instruments.aoi import COLOR_RINGS, Lens, Motion, Sensor, color_ring_light
from scenes.optics import Look, looking_down

DEG = math.pi / 180
MIDDLE = (10e-3, 10e-3)


def cap(radius: float, half: float, rings: int = 200, sectors: int = 256) -> Soup:
    """A mirror-like spherical cap on the board, its rim ``half`` [rad] from the apex, with the sphere's own normals."""
    tilt, turn = np.linspace(0, half, rings + 1)[1:, None], np.arange(sectors) * 2 * np.pi / sectors
    rim = np.stack([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt) + 0 * turn], -1).reshape(-1, 3)
    normal = np.concatenate([[(0, 0, 1)], rim])
    at = np.arange(sectors)
    after = (at + 1) % sectors
    faces = [np.stack([0 * at, 1 + at, 1 + after], 1)]
    for ring in range(rings - 1):
        inner, outer = 1 + ring * sectors, 1 + (ring + 1) * sectors
        faces += [np.stack([inner + at, outer + at, outer + after], 1), np.stack([inner + at, outer + after, inner + after], 1)]
    count = len(normal)
    place = normal * radius + (*MIDDLE, -radius * math.cos(half))
    return Soup(place.astype(np.float32), normal.astype(np.float32), np.concatenate(faces).astype(np.uint32),
                np.full(count, materials.index("aluminium"), np.uint8), np.full(count, int(PartKind.JOINT), np.uint8),
                np.full(count, 2, np.uint32), np.zeros(count, np.float32))


def crossing(radius, value, at, rising):
    """Where ``value`` passes its half near ``at`` [px], by means over thin annuli."""
    bins = np.arange(at - 5, at + 5, 0.25)
    mean = np.array([value[np.abs(radius - b) < 0.5].mean() for b in bins])
    level = (mean.max() + mean.min()) / 2
    return float(np.interp(level, mean if rising else mean[::-1], bins if rising else bins[::-1]))


def rings_of(picture, ball, pixel):
    """Found and expected radii [px] of the annuli on a cap of radius ``ball`` [m]; colours of their middles."""
    linear = decode(picture)
    y, x = np.mgrid[:picture.shape[0], :picture.shape[1]] + 0.5
    radius = np.hypot(x - picture.shape[1] / 2, y - picture.shape[0] / 2)
    found, expected, colors = [], [], []
    for channel, ring in enumerate(COLOR_RINGS):
        for zenith, rising in ((ring.zenith_min, True), (ring.zenith_max, False)):
            expected.append(ball / pixel * math.sin(zenith / 2))
            found.append(crossing(radius, linear[..., channel], expected[-1], rising))
        middle = ball / pixel * math.sin((ring.zenith_min + ring.zenith_max) / 4)
        colors.append(linear[np.abs(radius - middle) < 1].mean(axis=0))
    return np.array(found), np.array(expected), np.array(colors)


@pytest.mark.parametrize(("ball", "pixel"), [(4.5e-3, 10e-6), (1.5e-3, 5e-6), (3e-3, 20e-6)])
def test_colours_change_on_a_cap_where_geometry_says(gl, ball, pixel):
    """Radii R sin(θ/2) for source zenith θ, concentric red, green, blue, within a pixel. The lamps' table has 256 columns over
    sin(θ/2): an edge is at most half a column, R/510, away from its place."""
    side = 2 * math.ceil(0.75 * ball / pixel / 2) * 2
    camera = looking_down("c", MIDDLE, pixel, side, side)
    geometry = Geometry(made.slab(), soup=cap(ball, 46 * DEG))
    picture = gl.render(geometry, camera, color_ring_light(0.1), Look(), outputs={"rgb"}).rgb
    found, expected, colors = rings_of(picture, ball, pixel)
    assert np.abs(found - expected).max() < 1
    assert np.abs(found - expected).max() < ball / pixel / 2 / (lighting.COLUMNS - 1) + 0.35
    assert np.all(np.diff(found) > 0)
    for channel, color in enumerate(colors):
        assert color.argmax() == channel and color[channel] > 20 * np.delete(color, channel).max()


def test_the_recorded_picture_keeps_the_annuli(gl):
    """Through lens and sensor as well; the lens' point spread and noise do not move an edge."""
    from generators.render import develop

    ball, pixel = 3e-3, 10e-6
    camera = looking_down("c", MIDDLE, pixel, 480, 480)
    ideal = gl.render(Geometry(made.slab(), soup=cap(ball, 46 * DEG)), camera, color_ring_light(0.1), Look(), outputs=ALL)
    picture = aoi.record(develop.packed(decode(ideal.rgb)), Sensor(), Lens(), Motion(), pixel, 3, camera.distance - ideal.depth)
    found, expected, _ = rings_of(picture, ball, pixel)
    assert np.abs(found - expected).max() < 1


def test_color_rings_are_the_reference():
    """Zenith ranges of the tiers, and a white diffuser that is white."""
    assert [(round(r.zenith_min / DEG), round(r.zenith_max / DEG)) for r in COLOR_RINGS] == [(10, 25), (35, 50), (60, 80)]
    assert lighting.level_diffuser(color_ring_light(1.0)) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("model", ["telecentric", "perspective"])
def test_scale_against_height(gl, model):
    """Posts of three heights: a telecentric lens shows their tops at the same place and size, a perspective one magnified by
    distance / (distance − height)."""
    pixel, distance = 20e-6, 0.1
    camera = looking_down("c", MIDDLE, pixel, 800, 800, distance=distance, model=model)
    for height in (0.2e-3, 4e-3, 8e-3):
        post = made.from_trimesh("post", made.box(0, 0, 0, (0.8e-3, 0.8e-3, height)), "aluminium", PartKind.BODY)
        pose = np.array([made.pose(MIDDLE[0] - 5e-3, MIDDLE[1]), made.pose(MIDDLE[0] + 5e-3, MIDDLE[1])])
        group = Instances(post, pose, np.array([5, 6], np.uint32), np.ones((2, 3), np.float32), np.full(2, -1, np.int32))
        out = gl.render(Geometry(made.slab(), (group,)), camera, color_ring_light(), Look(), outputs=ALL)
        top = np.abs(out.depth - (distance - height)) < 50e-6
        left, right = (np.argwhere((out.instance == i) & top) for i in (5, 6))
        scale = 1.0 if model == "telecentric" else distance / (distance - height)
        assert right[:, 1].mean() - left[:, 1].mean() == pytest.approx(10e-3 / pixel * scale, abs=1)
        for post_pixels in (left, right):
            assert np.ptp(post_pixels, axis=0) + 1 == pytest.approx([0.8e-3 / pixel * scale] * 2, abs=1.01)
