"""Randomizers: pure, a fixed number of draws, values from their ranges; colour temperature against the CIE's own numbers."""
from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from domain_randomization.distributions import constant, uniform
from domain_randomization.randomizers.camera import Jitter, draw_jitter, moved, seen_by
from domain_randomization.randomizers.lighting import black_body, chromaticity, vary_lighting
from domain_randomization.randomizers.look import vary_look
from domain_randomization.randomizers.palettes import MASK_COLORS
from domain_randomization.recipe import CameraRange, LightingRange, LookRange
from scenes.optics import Directional, Lighting, Look, Ring, looking_down

LAMPS = Lighting((Ring(0.1, 0.4, (1, 1, 1)), Ring(0.5, 0.9, (0.5, 0.6, 0.7))), (0.2, 0.2, 0.2),
                 (Directional((0.6, 0.0, 0.8), (1, 1, 1)),), exposure=1.5, noise=0.003, blur=0.4)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize(("vary", "draws"), [
    (lambda g: vary_look(Look(), LookRange(), g), 16),
    (lambda g: vary_lighting(LAMPS, LightingRange(), g), 3 + 2 + 3),
    (lambda g: draw_jitter(CameraRange(), g), 8),
])
def test_a_fixed_number_of_draws_and_the_same_result_again(vary, draws):
    used, plain = rng(), rng()
    first = vary(used)
    plain.random(draws)
    assert used.random() == plain.random()
    assert repr(vary(rng())) == repr(first) and repr(vary(rng(1))) != repr(first)


def test_changing_one_range_moves_only_its_value():
    before = vary_look(Look(), LookRange(), rng())
    after = vary_look(Look(), LookRange(mask_roughness=uniform(0.5, 0.6)), rng())
    assert 0.5 <= after.mask_roughness <= 0.6
    assert dataclasses.replace(after, mask_roughness=before.mask_roughness) == before


@pytest.mark.parametrize("name", MASK_COLORS)
def test_a_palette_colour_without_shifts_is_that_colour(name):
    still = LookRange(mask_color=name, mask_hue_deg=0, mask_lightness=1, silk_lightness=1, laminate_lightness=1)
    look = vary_look(Look(), still, rng())
    assert look.mask == pytest.approx(MASK_COLORS[name].mask, abs=1e-12)
    assert look.silk == pytest.approx(MASK_COLORS[name].silk, abs=1e-12)


def test_every_colour_stays_a_colour():
    wild = LookRange(mask_lightness=3.0, silk_lightness=1.1, laminate_lightness=2.0, mask_hue_deg={"uniform": [-180, 180]})
    for seed in range(50):
        look = vary_look(Look(), wild, rng(seed))
        for color in (look.mask, look.mask_over_copper, look.silk, look.laminate, look.background):
            assert all(0 <= v <= 1 for v in color)


@pytest.mark.parametrize(("temperature", "x", "y"), [
    (2856, 0.44757, 0.40745),                  # CIE standard illuminant A
    (2000, 0.52669, 0.41331), (4000, 0.38045, 0.37675), (6500, 0.31352, 0.32363), (10000, 0.28063, 0.28828),     # CIE 15
])
def test_black_bodies_have_the_chromaticity_of_the_planckian_locus(temperature, x, y):
    assert chromaticity(temperature) == (pytest.approx(x, abs=1.2e-3), pytest.approx(y, abs=1.2e-3))


def test_warm_light_is_red_cold_light_is_blue_and_luminance_is_one():
    warm, cold = black_body(2800), black_body(12000)
    assert warm[0] > warm[1] > warm[2] and cold[2] > cold[1] > cold[0]
    for color in (warm, cold):
        assert np.dot(color, [0.2126729, 0.7151522, 0.0721750]) == pytest.approx(1, abs=1e-4)


def test_lamps_keep_what_is_not_varied():
    still = LightingRange(exposure_gain=2.0, ring_gain=1.0, dome_gain=0.5, lamp_gain=1.0, lamp_elevation_deg=0,
                          lamp_azimuth_deg=90, temperature_k=5700)
    got = vary_lighting(LAMPS, still, rng())
    assert got.exposure == 3.0 and got.dome == (0.1, 0.1, 0.1) and got.rings == LAMPS.rings
    assert got.directional[0].direction == pytest.approx((0, 0.6, 0.8))
    assert got.white_balance == pytest.approx((1, 1, 1)) and got.noise == LAMPS.noise


def test_a_jittered_camera_moves_its_focus_by_the_offset_and_nothing_else():
    camera = looking_down("top", (0.01, 0.02), 20e-6, 100, 80)
    jitter = Jitter((30e-6, -50e-6), math.radians(30), (math.radians(4), math.radians(-3)), 1.5, 0.3, 0.0)
    got = moved(camera, jitter)
    focus = got.pose @ [0, 0, -camera.distance, 1]
    assert focus[:3] == pytest.approx([0.01 + 30e-6, 0.02 - 50e-6, 0.0], abs=1e-12)
    assert got.pixel_size == pytest.approx(30e-6)
    assert got.pose[:3, :3].T @ got.pose[:3, :3] == pytest.approx(np.eye(3), abs=1e-12)
    assert got.project(np.array([[0.01 + 30e-6, 0.02 - 50e-6, 0.0]]))[0] == pytest.approx([50, 40], abs=1e-6)


def test_roll_turns_the_camera_counter_clockwise():
    got = moved(looking_down("top", (0.0, 0.0), 1e-5, 100, 100), Jitter((0.0, 0.0), math.radians(90), (0.0, 0.0), 1.0, 0.0, 0.0))
    up = got.project(np.array([[0.0, 2e-4, 0.0]]))[0]
    assert up == pytest.approx([70, 50], abs=1e-6)             # +y of the board is to the right in the image


def test_blur_and_noise_add_in_quadrature():
    got = seen_by(LAMPS, Jitter((0.0, 0.0), 0.0, (0.0, 0.0), 1.0, 0.3, 0.004))
    assert got.blur == pytest.approx(0.5) and got.noise == pytest.approx(0.005)


def test_constant_ranges_are_allowed_everywhere():
    assert draw_jitter(CameraRange(offset_um=constant(10), blur_px=0.5), rng()).offset == pytest.approx((1e-5, 1e-5))
