"""The AOI camera as authored: units, defaults and refusals."""
from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest
from pydantic import ValidationError

from scenes.instruments.aoi import Lens, LensFile, Motion, MotionFile, Sensor, SensorFile


def test_files_say_the_units_and_the_rest_is_si():
    sensor = SensorFile(quantum_efficiency=0.6, gain_dn_per_e=0.25, dark_noise_e=6, full_well_e=15000, prnu_percent=1,
                        dsnu_e=2, dark_current_e_per_s=5, black_level_dn=20, serial=7).sensor()
    assert sensor == Sensor(0.6, 0.25, 6, 15000, 12, 0.01, 2, 5, 20, 7)
    lens = LensFile(aperture=0.03, wavelength_nm=630, focus_height_mm=-1, aberration_um=4, field_angle_deg=45,
                    falloff=(-0.1, 0, 0), k1=-0.02, k2=0.01, p1=0.001, p2=-0.001).lens()
    assert lens == Lens(0.03, pytest.approx(630e-9), pytest.approx(-1e-3), pytest.approx(4e-6), pytest.approx(math.pi / 4),
                        (-0.1, 0, 0), -0.02, 0.01, 0.001, -0.001)
    motion = MotionFile(speed_mm_per_s=300, direction_deg=90, exposure_us=50).motion()
    assert motion == Motion(pytest.approx(0.3), pytest.approx(math.pi / 2), pytest.approx(50e-6))
    assert motion.travel == pytest.approx(15e-6)


def test_defaults_of_files_and_of_instruments_are_one_camera():
    for file, made in ((LensFile().lens(), Lens()), (MotionFile().motion(), Motion())):
        assert np.hstack(list(asdict(file).values())) == pytest.approx(np.hstack(list(asdict(made).values())))
    sensor = SensorFile().sensor()
    assert sensor.gain == pytest.approx(Sensor().gain, rel=0.02)
    assert sensor.capacity == pytest.approx(Sensor().capacity)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_full_well_uses_all_the_bits(bits):
    sensor = SensorFile(bits=bits, full_well_e=20000).sensor()
    assert sensor.white == pytest.approx(2**bits - 1)
    assert sensor.capacity == pytest.approx(20000)
    assert sensor.black_level == 2**bits / 64


def test_mean_and_variance_by_hand():
    """EMVA 1288 worked by hand: 1000 photons, η 0.6, K 0.25, σ_d 6, dark current 500 e⁻/s over 10 ms, black level 20."""
    sensor = Sensor(0.6, 0.25, 6, 15000, 12, 0, 0, 500, 20)
    assert sensor.mean(1000, 0.01) == pytest.approx(20 + 0.25 * (5 + 600))
    assert sensor.variance(1000, 0.01) == pytest.approx(0.0625 * (36 + 5 + 600) + 1 / 12)
    slope = (sensor.variance(2000) - sensor.variance(1000)) / (sensor.mean(2000) - sensor.mean(1000))
    assert slope == pytest.approx(sensor.gain)


def test_further_noise_and_blur_add_in_quadrature():
    sensor, lens = Sensor(), Lens()
    assert sensor.noisier(0.003).dark_noise == pytest.approx(math.hypot(2.3, 0.003 * sensor.capacity))
    assert lens.softer(8e-6).sharpness == pytest.approx(math.hypot(lens.sharpness, 8e-6))
    assert sensor.noisier(0) is sensor and lens.softer(0) is lens


@pytest.mark.parametrize(("file", "values", "says"), [
    (SensorFile, {"bits": 14}, "8, 10 or 12"),
    (SensorFile, {"gain": 0.3}, "Extra inputs"),
    (SensorFile, {"quantum_efficiency": 1.2}, "less than or equal to 1"),
    (SensorFile, {"black_level_dn": 3000}, "lower it"),
    (LensFile, {"k1": -0.45}, "folds the picture"),
    (LensFile, {"k2": -0.3}, "folds the picture"),
    (LensFile, {"falloff": (-1.2, 0, 0)}, "corner"),
    (LensFile, {"aperture": 0}, "greater than"),
    (MotionFile, {"speed_mm_per_s": 5000, "exposure_us": 10000}, "shorten the exposure"),
    (MotionFile, {"speed_mm_per_s": float("nan")}, "finite number"),
    (LensFile, {"falloff": (float("nan"), 0, 0)}, "finite number"),
])
def test_refusals_say_what_to_do(file, values, says):
    with pytest.raises(ValidationError, match=says):
        file(**values)


@pytest.mark.parametrize("k1", np.linspace(-0.1, 0.5, 7))
def test_what_a_file_accepts_does_not_fold(k1):
    lens = LensFile(k1=k1).lens()
    r = np.linspace(0, 1.6, 400)
    shown = r * (1 + lens.k1 * r**2)
    upto = np.argmax(shown >= 1) if (shown >= 1).any() else len(r)
    assert (np.diff(shown[:upto + 1]) > 0).all() and shown.max() >= 1
