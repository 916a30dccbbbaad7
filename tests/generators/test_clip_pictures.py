"""What a clip shows, through the gl renderer and the camera: an edge moves by speed / rate, lamps flicker, exposures blur."""
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import render_scene as made

from domain_randomization.clips import moments
from domain_randomization.recipe import Clip, Recipe
from domain_randomization.sampling import Context, make_sample
from generators.dataset.rows import Row
from generators.dataset.schema import DatasetInfo, row
from generators.imaging.flicker import Flicker
from generators.render.develop import decode
from scenes.geometry import Coverage, Geometry
from scenes.instruments.aoi import Lens, Motion, Sensor
from scenes.optics import Lighting, Look, looking_down
from scenes.scene import Scene

PIXEL = 20e-6
EDGE, MIDDLE = 10e-3, (10e-3, 10e-3)
RATE = 60                                      # [Hz] at 24 mm/s and 40 µm: 10 px from frame to frame
LIGHT = Lighting(dome=(0.6, 0.6, 0.6))


@pytest.fixture(scope="module")
def half_white():
    """A plain board, silk-screened white right of x = ``EDGE``."""
    slab = made.slab()
    texels = np.zeros_like(slab.coverage.texels)
    texels[..., 3] = 255
    texels[:, round(EDGE / slab.coverage.texel_size):, 2] = 255
    return Geometry(replace(slab, coverage=Coverage(texels, (0.0, 0.0), slab.coverage.texel_size)))


def shoot(gl, geometry, clip, motion, lamps=None):
    """Linear pictures (N, H, W) and the moments they were taken at."""
    sensor = Sensor(prnu=0, dsnu=0, full_well=1e5, gain=0.04)            # many photons, little noise
    camera = replace(looking_down("c", MIDDLE, PIXEL, 320, 256), sensor=sensor, lens=Lens(), motion=motion)
    shots = moments(clip, motion, lamps or Flicker(), np.random.default_rng(3))
    pictures = [gl.render(geometry, shot.taken_by(camera), LIGHT.scaled(shot.light), Look(), outputs={"rgb"},
                          noise_seed=shot.seed).rgb for shot in shots]
    return np.stack([decode(p).mean(axis=2) for p in pictures]), shots


def spread(picture, reach=16):
    """The edge's line spread within ``reach`` [px] of where it is, its sum 1, and the places that belong to it [px]."""
    profile = picture.mean(axis=0)
    coarse = int(np.argmin(np.abs(profile - (profile.max() + profile.min()) / 2)))
    steep, at = np.diff(profile)[coarse - reach:coarse + reach], np.arange(coarse - reach, coarse + reach) + 1.0
    return steep / steep.sum(), at


def place(picture):
    """Middle of the edge [px]."""
    steep, at = spread(picture)
    return (steep * at).sum()


def variance(picture):
    """Of the edge's line spread [px²]."""
    steep, at = spread(picture)
    return (steep * (at - place(picture))**2).sum()


@pytest.mark.parametrize("direction", [0.0, 0.6, math.pi])
def test_an_edge_moves_by_speed_over_rate(gl, half_white, direction):
    """And the frame in the middle shows it where it is without a clip: in the middle of the picture."""
    clip, motion = Clip(frames=9, rate_hz=25), Motion(6.17e-3, direction, 200e-6)
    pictures, _ = shoot(gl, half_white, clip, motion)
    found = np.array([place(p) for p in pictures])
    step = 6.17e-3 / 25 / PIXEL * math.cos(direction)
    assert np.diff(found) == pytest.approx(np.full(8, step), abs=0.05)
    assert found[4] == pytest.approx(160, abs=0.05)


def test_lamps_flicker_as_the_closed_form_says(gl, half_white):
    """Mean linear brightness of bright frames against dark ones, within 1 %, by fresh noise; the board stands still."""
    clip, motion, lamps = Clip(frames=8, rate_hz=24), Motion(exposure=1.5e-3), Flicker(100.0, 0.3, 0.4)
    pictures, shots = shoot(gl, half_white, clip, motion, lamps)
    brightness = pictures.mean(axis=(1, 2))
    times, wide = np.arange(8) / 24, np.sin(math.pi * 0.15) / (math.pi * 0.15)
    expected = 1 + 0.3 * wide * np.cos(2 * math.pi * 100 * times + 0.4)
    assert expected.max() / expected.min() > 1.6 and pictures.max() < 0.99
    assert brightness / brightness.mean() == pytest.approx(expected / expected.mean(), rel=0.01)
    assert [s.light for s in shots] == pytest.approx(expected.tolist())
    assert np.std(pictures[0] - pictures[6]) > 0.0005          # the same light, fresh noise


@pytest.mark.parametrize(("speed", "exposure"), [(0.1, 2e-3), (0.2, 2e-3), (0.04, 5e-3)])
def test_blur_is_speed_times_exposure(gl, half_white, speed, exposure):
    """An edge's line spread grows by the variance of a box of that width, travel² / 12, in every frame."""
    clip = Clip(frames=3, rate_hz=100)
    sharp, _ = shoot(gl, half_white, clip, Motion(exposure=exposure))
    moved, _ = shoot(gl, half_white, clip, Motion(speed, 0.0, exposure))
    width = [math.sqrt(12 * (variance(a) - variance(b))) for a, b in zip(moved, sharp, strict=True)]
    assert width == pytest.approx([speed * exposure / PIXEL] * 3, rel=0.03)


@pytest.fixture(scope="module")
def line(gl, examples, tmp_path_factory):
    """The inspector's clip recipe with a still camera: five frames, 10 px from one to the next."""
    text = (examples / "inspector.clip.scene.yaml").read_text().replace("board: boards", f"board: {examples}/boards")
    scene = tmp_path_factory.mktemp("clip") / "scene.yaml"
    scene.write_text(text)
    recipe = Recipe.parse("scene: s\ncount: 6\nseed: 5\ndefective_fraction: 1\nquotas: [{defect: tombstone, count: 1}]\n"
                          "camera: {offset_um: 0, roll_deg: 0, scale: 1, blur_px: 0, noise: 0}\n"
                          "frames: {pixel_um: 40, width: 320, height: 240}\n"
                          f"clip: {{frames: 5, rate_hz: {RATE}, flicker: 0.2}}\n"
                          "outputs: {labels: [instance, part]}\n")
    with Context(Scene.read(scene), recipe) as context:
        yield context


def test_labels_move_with_the_board_and_keep_their_ids(line):
    """Outlines of whole things, by the middle of their masks, on the shipped board."""
    sample = make_sample(line, 0)
    info = DatasetInfo("clip", "ab" * 32, line.family.taxonomy, 1)
    held = Row(row(sample, info), "row")
    step = 24e-3 / RATE / 40e-6
    checked = []
    for thing, path in held.tracks().items():
        items = {i.frame: i for i in held.instances if (i.category, i.component, i.pads, i.ids) == thing}
        shown = [(f, *mid(items[f].visible())) for f, b in path
                 if b is not None and b[0] > 1 and b[1] > 1 and b[0] + b[2] < 319 and b[1] + b[3] < 239]
        if len(shown) > 1:
            frames, across, down = (np.array(v, float) for v in zip(*shown, strict=True))
            checked += (np.diff(across) / np.diff(frames)).tolist()
            assert np.ptp(down) < 0.05
    assert len(checked) > 12 and checked == pytest.approx([step] * len(checked), abs=0.05)
    target = [t for t in held.tracks() if t.category == "tombstone"]
    assert len(target) == 1 and held.tracks()[target[0]][2][1] is not None


def mid(mask):
    rows, columns = np.nonzero(mask)
    return columns.mean(), rows.mean()


def test_the_same_seed_gives_the_same_bytes(line):
    a, b = (row(make_sample(line, 1), DatasetInfo("clip", "ab" * 32, line.family.taxonomy, 1)) for _ in range(2))
    assert a == b and len({i["image"]["bytes"] for i in a["images"]}) == 5


def test_the_middle_frame_is_where_the_still_picture_is(line):
    still = Context(line.scene, line.recipe.model_copy(update={"clip": None}), product=line.product)
    still.__dict__["renderer"] = line.renderer
    one, clip = make_sample(still, 0).frames[0], make_sample(line, 0).frames[2]
    assert one.view["pose"] == clip.view["pose"] and "clip" not in one.view
    for name in ("instance", "part"):
        assert np.array_equal(one.labels[name], clip.labels[name])
    same = decode(one.images["rgb"]) < 0.6
    ratio = decode(clip.images["rgb"])[same].mean() / decode(one.images["rgb"])[same].mean()
    assert ratio == pytest.approx(clip.view["light"], rel=0.01)
