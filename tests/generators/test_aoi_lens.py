"""Point spread, motion, defocus and vignetting of the AOI camera, measured on edges, against closed forms."""
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from generators.imaging import aoi, aoi_blur, aoi_defocus
from generators.render import develop
from scenes.errors import InputError
from scenes.instruments.aoi import AIRY_RADIUS, Lens, Motion, Sensor
from scenes.optics import looking_down

PIXEL = 10e-6
QUIET = Sensor(gain=4031 / 1e9, full_well=1e9, dark_noise=0, prnu=0, dsnu=0, dark_current=0)
OPEN = Lens(aperture=0.5, aberration=0.0)
STILL = Motion()


def seen(scene, lens=OPEN, motion=STILL, height=None, sensor=QUIET):
    """Signal, 0 to 1, (H, W)."""
    number = aoi.digital(np.repeat(scene[..., None], 3, axis=-1).astype(np.float32), sensor, lens, motion, PIXEL, 1, height)
    return (number[..., 1] - sensor.black_level) / (sensor.white - sensor.black_level)


def edge(shape, angle=0.0):
    """A bright half plane whose edge is square to ``angle`` [rad, image axes with y up]; anti-aliased as a renderer's is."""
    y, x = np.mgrid[:shape[0], :shape[1]]
    across = (x - shape[1] / 2 + 0.5) * math.cos(angle) - (y - shape[0] / 2 + 0.5) * math.sin(angle)
    return np.clip(across + 0.5, 0, 1) * 0.8 + 0.1


def width(profile):
    """Standard deviation of the spread that an edge profile shows."""
    line = np.gradient(np.asarray(profile, float))
    line /= line.sum()
    at = np.arange(len(line))
    return math.sqrt((line * (at - line @ at)**2).sum())


def grown(profile, before):
    return math.sqrt(max(width(profile)**2 - width(before)**2, 0))


@pytest.mark.parametrize(("speed", "exposure"), [(0.1, 100e-6), (0.3, 50e-6), (0.3, 1e-3), (0.12, 100e-6), (0.5, 210e-6)])
def test_motion_blurs_by_speed_times_exposure(speed, exposure):
    """Check C3. A box of length L has the standard deviation L/√12."""
    scene = edge((40, 160))
    moved = seen(scene, motion=Motion(speed, 0.0, exposure))
    length = speed * exposure / PIXEL
    assert grown(moved[20], seen(scene)[20]) * math.sqrt(12) == pytest.approx(length, abs=0.1)
    at = np.interp([0.1 + 0.8 * share for share in (0.1, 0.9)], moved[20], np.arange(160))
    assert (at[1] - at[0]) / 0.8 == pytest.approx(length, abs=0.5)
    assert moved[20, 79:81].mean() == pytest.approx(0.5, abs=2e-3)           # the picture is that of the middle of the exposure


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 4, 1.2, math.pi / 2, 2.5])
def test_motion_blurs_along_its_direction_only(angle):
    along, aside = edge((121, 121), angle), edge((121, 121), angle + math.pi / 2)
    motion = Motion(0.4, angle, 300e-6)
    out = seen(along, motion=motion)
    start = np.array([60.0, 60.0])
    ray = start[:, None] + np.arange(-30, 31) * np.array([-math.sin(angle), math.cos(angle)])[:, None]
    across = start[:, None] + np.arange(-30, 31) * np.array([math.cos(angle), math.sin(angle)])[:, None]
    assert grown(ndimage.map_coordinates(out, ray, order=1), ndimage.map_coordinates(along, ray, order=1)) * math.sqrt(12) \
        == pytest.approx(12, abs=0.3)
    kept = seen(aside, motion=motion)
    before, after = (ndimage.map_coordinates(p, across, order=1) for p in (aside, kept))
    assert grown(after, before) < 0.45         # a slanted line of pixels is half a pixel wide


@settings(max_examples=50)
@given(travel=st.floats(0.06, 80), angle=st.floats(-7, 7, allow_subnormal=False))
def test_smear_is_a_box(travel, angle):
    taps = aoi_blur.smear(travel, angle)
    place, weight = np.array([t[:2] for t in taps], float), np.array([t[2] for t in taps])
    assert weight.sum() == pytest.approx(1, abs=1e-4)
    assert weight @ place == pytest.approx([0, 0], abs=1e-3)
    ahead, aside = place @ (math.cos(angle), -math.sin(angle)), place @ (math.sin(angle), math.cos(angle))
    assert np.abs(ahead).max() <= travel / 2 + 1.5
    assert math.sqrt(weight @ ahead**2) == pytest.approx(travel / math.sqrt(12), abs=1e-3)
    assert math.sqrt(weight @ aside**2) < 0.45                   # what a slanted line of pixels cannot avoid


def test_motion_turns_with_the_camera():
    east = Motion(0.2, 0.0)
    assert east.seen_from(looking_down("c", (0, 0), PIXEL, 64, 64).pose).direction == pytest.approx(0)
    quarter = looking_down("c", (0, 0), PIXEL, 64, 64, roll=math.pi / 2)     # its x axis is the board's y
    assert east.seen_from(quarter.pose).direction == pytest.approx(-math.pi / 2)
    assert east.seen_from(quarter.pose).speed == pytest.approx(0.2)


def test_motion_of_the_picture_is_that_of_the_board():
    """The blur of a rolled camera runs where a moving point is projected."""
    camera = looking_down("c", (0, 0), PIXEL, 64, 64, roll=0.7)
    motion = Motion(0.3, 0.4, 1e-3)
    step = motion.travel * np.array([math.cos(0.4), math.sin(0.4), 0])
    shown = np.diff(camera.project(np.stack([step * 0, step])), axis=0)[0]
    turned = motion.seen_from(camera.pose)
    assert shown == pytest.approx(turned.travel / PIXEL * np.array([math.cos(turned.direction), -math.sin(turned.direction)]))


def test_endless_motion_is_refused():
    with pytest.raises(InputError, match="shorten the exposure"):
        seen(np.zeros((16, 16)), motion=Motion(5.0, 0.3, 10e-3))


@pytest.mark.parametrize("sigma", [0.2, 0.5, 0.9, 1.6, 3.0])
def test_point_spread_has_its_width(sigma):
    scene, lens = edge((61, 81)), Lens(aperture=0.5, aberration=sigma * PIXEL)
    expected = math.hypot(sigma, 0.21 * 550e-9 / 0.5 / PIXEL)
    assert grown(seen(scene, lens)[30], scene[30]) == pytest.approx(expected, rel=0.02)
    assert grown(seen(scene.T, lens)[:, 30], scene[30]) == pytest.approx(expected, rel=0.02)


def test_diffraction_is_airys():
    """Domain table: Airy radius 11.2 µm at NA 0.03, 6.7 µm at NA 0.05; depth of field 15 µm / 0.03 and 10 µm / 0.05."""
    for aperture, airy, pixel, depth in ((0.03, 11.2e-6, 15e-6, 500e-6), (0.05, 6.7e-6, 10e-6, 200e-6)):
        lens = Lens(aperture=aperture, aberration=0)
        assert AIRY_RADIUS * lens.wavelength / aperture == pytest.approx(airy, rel=0.01)
        assert lens.sharpness == pytest.approx(airy * 0.21 / 0.61, rel=0.01)
        assert lens.depth_of_field(pixel) == pytest.approx(depth)


@pytest.mark.parametrize("sigma", [0.1, 0.4, 0.7, 1.0, 1.6, 2.5, 4.0, 7.3])
def test_gaussian_against_scipy(sigma):
    """Wide ones are made at half the resolution."""
    scene = ndimage.gaussian_filter(np.random.default_rng(1).random((1, 160, 171)), (0, 1.5, 1.5)).astype(np.float32)
    expected = ndimage.gaussian_filter(scene[0].astype(float), sigma, mode="nearest", truncate=8)
    away = np.s_[32:-32, 32:-32]               # borders are held in another way
    assert np.abs(aoi_blur.gaussian(scene, sigma)[0] - expected)[away].max() < 0.02 * np.ptp(scene)


def test_defocus_grows_with_height():
    """Circle of confusion 2 NA |dz|; a disc's standard deviation along a line is half its radius. Layers are √2 apart."""
    lens = replace(OPEN, aperture=0.02, focus_height=0.0, wavelength=1e-9)
    scene = edge((96, 96))
    for height in (1.5e-3, 3e-3, 6e-3, -4e-3):
        out = seen(scene, lens, height=np.full((96, 96), height, np.float32))
        expected = lens.aperture * abs(height) / 2 / PIXEL
        assert grown(out[48], seen(scene)[48]) == pytest.approx(expected, rel=0.21)


def test_in_focus_nothing_is_blurred():
    lens = Lens(focus_height=0.5e-3)
    scene = edge((50, 50))
    half = 0.49 * lens.depth_of_field(PIXEL)
    inside = np.linspace(0.5e-3 - half, 0.5e-3 + half, 2500, dtype=np.float32).reshape(50, 50)
    inside[0, 0] = -np.inf                     # nothing is there
    assert np.array_equal(seen(scene, lens, height=inside), seen(scene, lens))


def test_a_blurred_part_spreads_over_a_sharp_board():
    """A bright block, 4 mm tall, over a dark striped board: its edge is a Gaussian's, the stripes stay sharp."""
    lens = replace(OPEN, aperture=0.012, focus_height=0.0, wavelength=1e-9)
    scene = np.full((96, 160), 0.1)
    scene[:, 2::8] = scene[:, 3::8] = 0.2
    height = np.zeros(scene.shape, np.float32)
    scene[:, 80:] = 0.8
    height[:, 80:] = 4e-3
    out = seen(scene, lens, height=height)[48]
    assert out[:60] == pytest.approx(seen(scene)[48][:60], abs=2e-3)
    sigma = lens.aperture * 4e-3 / 2 / PIXEL
    at = np.arange(70, 90) + 0.5 - 80
    expected = 0.12 + 0.68 * (np.vectorize(math.erf)(at / sigma / math.sqrt(2)) + 1) / 2
    assert np.abs(out[70:90] - expected).max() < 0.12
    assert np.all(np.diff(out[78:86]) > 0)


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), light=st.floats(0.05, 0.95), tall=st.floats(1e-3, 12e-3))
def test_even_light_stays_even(seed, light, tall):
    """Whatever the heights: no seams, no dark fringes."""
    rng = np.random.default_rng(seed)
    height = ndimage.zoom(rng.random((6, 7)), 12, order=int(rng.integers(0, 2))).astype(np.float32) * np.float32(tall)
    field = np.full((3, *height.shape), light, np.float32)
    aoi_defocus.defocus(field, height, 0.0, 0.012 / 2 / PIXEL)
    assert field == pytest.approx(light, rel=1e-3)


def test_blocks_leave_no_trace(monkeypatch):
    """Defocus works in blocks; posts of several heights look the same in one piece."""
    y, x = np.mgrid[:200, :280]
    height = np.where((x // 23 + y // 29) % 3 == 0, (x // 23 % 4) * 2e-3, 0).astype(np.float32)
    scene = ndimage.gaussian_filter(np.random.default_rng(5).random((3, 200, 280)), (0, 1, 1)).astype(np.float32)
    pieces = []
    for block in (aoi_defocus._BLOCK, 1024):
        monkeypatch.setattr(aoi_defocus, "_BLOCK", block)
        pieces.append(scene.copy())
        aoi_defocus.defocus(pieces[-1], height, 0.0, 0.012 / 2 / PIXEL)
    assert np.abs(pieces[0] - scene).max() > 0.1
    assert np.abs(pieces[0] - pieces[1]).max() < 0.02


def test_vignetting_is_cos4():
    lens = replace(OPEN, field_angle=math.radians(20))
    out = seen(np.full((90, 120), 0.9), lens) / 0.9
    y, x = np.mgrid[:90, :120] + 0.5
    r = np.hypot(x - 60, y - 45) / 75
    assert out == pytest.approx(np.cos(np.arctan(r * math.tan(math.radians(20))))**4, abs=1e-3)
    assert out[0, 0] == pytest.approx(math.cos(math.radians(20))**4, abs=5e-3)


def test_vignetting_is_the_polynomial():
    out = seen(np.full((90, 120), 0.9), replace(OPEN, falloff=(-0.1, 0.05, -0.2))) / 0.9
    y, x = np.mgrid[:90, :120] + 0.5
    r2 = ((x - 60)**2 + (y - 45)**2) / 75**2
    assert out == pytest.approx(1 - 0.1 * r2 + 0.05 * r2**2 - 0.2 * r2**3, abs=1e-3)


def test_bands_leave_no_trace():
    """Blurs that reach over bands of rows: the same as on the turned picture."""
    rng = np.random.default_rng(3)
    scene = rng.random((100, 100))
    for lens, motion in ((Lens(aperture=0.5, aberration=14e-6), STILL), (OPEN, Motion(1.0, 0.0, 123e-6))):
        turned = replace(motion, direction=math.pi / 2)
        away = np.s_[12:-12, 12:-12]
        assert seen(scene, lens, motion)[away] == pytest.approx(seen(scene.T, lens, turned).T[away], abs=1e-3)


def test_develop_and_record_agree_on_blur():
    """The camera stands in for ``develop``: the same point spread, in pixels."""
    rng = np.random.default_rng(4)
    code = develop.packed(ndimage.gaussian_filter(rng.random((64, 64, 3)), (1, 1, 0)).astype(np.float32))
    lens = Lens(aperture=0.5, aberration=0).softer(0.6 * PIXEL)
    new = aoi.record(code, QUIET, lens, STILL, PIXEL, 1)
    old = develop.develop(code, lens.sharpness / PIXEL, 0.0, 1)
    assert np.abs(new.astype(int) - old).max() <= 1
