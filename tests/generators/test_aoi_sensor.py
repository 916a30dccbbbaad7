"""The AOI camera's sensor against EMVA Standard 1288: what a characterisation bench would measure on its pictures."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from generators.imaging import aoi, aoi_noise
from generators.render import develop
from scenes.instruments.aoi import Lens, Motion, Sensor

PIXEL = 20e-6
SIDE = 384
OPEN = Lens(aperture=0.5, aberration=0.0)      # point spread far below a pixel
STILL = Motion(exposure=100e-6)
CAMERAS = {
    "default": Sensor(),
    "domain": Sensor(quantum_efficiency=0.6, gain=0.25, dark_noise=6.0, full_well=15000, bits=12, serial=3),   # check C1
    "ten bits": Sensor(quantum_efficiency=0.5, gain=0.05, dark_noise=10.0, full_well=20000, bits=10, black_level=10, prnu=0.01),
    "few electrons": Sensor(gain=8.0, dark_noise=1.5, full_well=500, bits=12, dsnu=2.0),
    "warm": Sensor(dark_current=5e5, dark_noise=3.0),
}
cameras = pytest.mark.parametrize("sensor", CAMERAS.values(), ids=CAMERAS)


def flat(light, sensor, seed, side=SIDE, motion=STILL):
    """Digital numbers of an evenly lit field, (side · side · 3,) as float."""
    scene = np.full((side, side, 3), light, np.float32)
    return aoi.digital(scene, sensor, OPEN, motion, PIXEL, seed).astype(float)


def pair(light, sensor, seed):
    """Mean and temporal variance of two exposures, EMVA 1288 section 6.6: the fixed pattern cancels in the difference."""
    a, b = flat(light, sensor, seed), flat(light, sensor, seed + 1)
    return (a.mean() + b.mean()) / 2, (a - b).var() / 2


@pytest.fixture(scope="module", params=CAMERAS.values(), ids=CAMERAS)
def bench(request):
    """Photon transfer of one camera up to 70 % of saturation: sensor, photons, means, variances; dark mean and variance."""
    sensor = request.param
    light = np.linspace(0.02, 0.7, 12)
    mean, variance = np.array([pair(v, sensor, 100 + 2 * k) for k, v in enumerate(light)]).T
    return sensor, light * sensor.photons, mean, variance, *pair(0.0, sensor, 50)


def test_photon_transfer_gives_the_gain(bench):
    sensor, _, mean, variance, dark, dark_variance = bench
    x, y = mean - dark, variance - dark_variance
    assert (x @ y) / (x @ x) == pytest.approx(sensor.gain, rel=0.01)


def test_dark_noise_is_recovered(bench):
    sensor, *_, dark_variance = bench
    found = np.sqrt(dark_variance - 1 / 12) / sensor.gain
    assert found == pytest.approx(np.sqrt(sensor.dark_noise**2 + sensor.dark_current * STILL.exposure), rel=0.02)


def test_quantum_efficiency_is_recovered(bench):
    sensor, photons, mean, variance, dark, dark_variance = bench
    x, y = mean - dark, variance - dark_variance
    responsivity = (photons @ x) / (photons @ photons)
    assert responsivity / ((x @ y) / (x @ x)) == pytest.approx(sensor.quantum_efficiency, rel=0.01)


def test_mean_and_variance_are_the_standards(bench):
    sensor, photons, mean, variance, dark, _ = bench
    expected = np.array([(sensor.mean(p, STILL.exposure), sensor.variance(p, STILL.exposure)) for p in photons])
    assert mean == pytest.approx(expected[:, 0], rel=1e-3)
    assert variance == pytest.approx(expected[:, 1], rel=0.02)
    assert dark == pytest.approx(sensor.mean(0, STILL.exposure), abs=0.02 + 0.02 * sensor.gain)


def test_dark_mean_grows_with_exposure():
    sensor = CAMERAS["warm"]
    times = np.array([50e-6, 200e-6, 1e-3])
    dark = [flat(0.0, sensor, 1, motion=Motion(exposure=t)).mean() for t in times]
    assert np.polyfit(times, dark, 1)[0] == pytest.approx(sensor.gain * sensor.dark_current, rel=0.01)


@cameras
def test_fixed_pattern(sensor):
    """PRNU and DSNU of EMVA 1288 section 8, by averaging; the rest of the temporal noise is taken off."""
    frames, side = 16, 256
    half, dark = (np.array([flat(v, sensor, 200 + k, side) for k in range(frames)]) for v in (0.5, 0.0))
    spatial = [stack.mean(axis=0).mean(axis=-1).var() - stack.var(axis=0, ddof=1).mean() / frames / 3 for stack in (half, dark)]
    assert np.sqrt(spatial[1]) / sensor.gain == pytest.approx(sensor.dsnu, rel=0.1)
    assert np.sqrt(spatial[0] - spatial[1]) / (half.mean() - dark.mean()) == pytest.approx(sensor.prnu, rel=0.1)


def test_full_well_clips():
    well = replace(CAMERAS["domain"], prnu=0.0, dsnu=0.0)
    assert well.black_level + well.gain * well.full_well < well.limit        # the well is full before the converter
    over = flat(1.5, well, 1)
    assert over.std() == 0
    assert over.max() == pytest.approx(well.white, abs=0.5)
    converter = Sensor(full_well=20000)
    assert flat(1.2, converter, 1).min() == flat(1.2, converter, 1).max() == converter.limit


def test_noise_drops_at_saturation():
    """EMVA 1288 reads the saturation point off the peak of the variance."""
    sensor = CAMERAS["domain"]
    variance = [pair(v, sensor, 10)[1] for v in (0.9, 0.98, 1.0, 1.02)]
    assert variance[0] < variance[1] > variance[2] > variance[3]


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_quantisation_noise_is_a_twelfth(bits):
    limit = (1 << bits) - 1
    sensor = Sensor(gain=limit / 1e9, full_well=1e9, dark_noise=0, prnu=0, dsnu=0, dark_current=0, black_level=0, bits=bits)
    light = np.linspace(0.05, 0.95, SIDE * SIDE * 3, dtype=np.float32).reshape(SIDE, SIDE, 3)
    error = aoi.digital(light, sensor, OPEN, STILL, PIXEL, 1) - light.astype(float) * limit
    assert abs(error.mean()) < 0.01
    assert error.var() == pytest.approx(1 / 12 + sensor.gain * limit / 2, rel=0.02)


@pytest.mark.parametrize("mean", [0.1, 1.0, 3.3, 12.0, 19.7])
def test_few_electrons_follow_poisson(mean):
    """Electron by electron: gain 1, nothing else makes noise."""
    sensor = Sensor(gain=1, full_well=500, dark_noise=0, prnu=0, dsnu=0, dark_current=0, black_level=0)
    found = flat(mean / 500, sensor, 7).ravel()
    assert np.array_equal(found, np.round(found))
    at = np.arange(60)
    law = stats.poisson(round(mean * 64) / 64).cdf(at)           # means lie on a grid of 1/64
    assert np.abs(np.searchsorted(np.sort(found), at, side="right") / len(found) - law).max() < (0.004 if mean >= 1 else 0.008)
    assert found.mean() == pytest.approx(mean, abs=1 / 64)
    assert found.var() == pytest.approx(mean, rel=0.01, abs=0.02)


def test_no_step_where_counts_become_normal():
    means = np.linspace(aoi_noise.FEW - 4, aoi_noise.FEW + 4, 9)
    sensor = Sensor(gain=8, full_well=500, prnu=0, dsnu=0)
    found = np.array([pair(m / 500, sensor, 30 + 2 * k) for k, m in enumerate(means)])
    assert found[:, 0] == pytest.approx([sensor.mean(m / sensor.quantum_efficiency) for m in means], rel=2e-3)
    assert found[:, 1] == pytest.approx([sensor.variance(m / sensor.quantum_efficiency) for m in means], rel=0.02)


def test_noise_is_white():
    """No pixel's temporal noise tells anything about its neighbours, the other colours, or the next picture."""
    noise = [flat(0.5, Sensor(prnu=0, dsnu=0), s).reshape(SIDE, SIDE, 3) for s in (1, 2)]
    a, b = ((n - n.mean()) / n.std() for n in noise)
    for other in (np.roll(a, 1, 0), np.roll(a, 1, 1), np.roll(a, 1, 2), b):
        assert abs((a * other).mean()) < 6 / np.sqrt(a.size)


def test_defaults_look_like_an_industrial_camera():
    """0.4 % of full scale at sRGB mid-grey."""
    sensor = Sensor()
    middle = float(develop.srgb_to_linear(np.array(0.5)))
    noise = np.sqrt(pair(middle, sensor, 5)[1]) / (sensor.white - sensor.black_level)
    assert 0.003 < noise < 0.005


@settings(max_examples=25)
@given(value=st.integers(4, 251))
def test_colours_come_back(value):
    """A quiet sensor stores what the picture has always shown: sRGB, within one code."""
    quiet = Sensor(gain=4031 / 1e9, full_well=1e9, dark_noise=0, prnu=0, dsnu=0, dark_current=0)
    rgb = np.full((4, 5, 3), value, np.uint8)
    found = aoi.record(develop.packed(develop.decode(rgb)), quiet, OPEN, STILL, PIXEL, 0)
    assert np.abs(found.astype(int) - rgb).max() <= (1 if value > 20 else 2)       # 12 linear bits are coarse in the dark


def test_same_seed_same_bytes_same_camera_same_pattern():
    rng = np.random.default_rng(0)
    code = develop.packed(rng.random((70, 45, 3), dtype=np.float32))
    first = aoi.record(code, Sensor(), Lens(), STILL, PIXEL, 5)
    assert first.tobytes() == aoi.record(code.copy(), Sensor(), Lens(), STILL, PIXEL, 5).tobytes()
    assert first.tobytes() != aoi.record(code, Sensor(), Lens(), STILL, PIXEL, 6).tobytes()
    assert first.tobytes() != aoi.record(code, Sensor(serial=1), Lens(), STILL, PIXEL, 5).tobytes()
    means = [np.mean([flat(0.6, Sensor(serial=s, prnu=0.02), k, 128).mean(axis=-1) for k in range(8)], axis=0) for s in (4, 4, 9)]
    again = np.mean([flat(0.6, Sensor(serial=4, prnu=0.02), 50 + k, 128).mean(axis=-1) for k in range(8)], axis=0)
    assert np.corrcoef(means[0].ravel(), again.ravel())[0, 1] > 0.95
    assert abs(np.corrcoef(means[0].ravel(), means[2].ravel())[0, 1]) < 0.05


def test_codes_and_linear_light_are_one_scene():
    rng = np.random.default_rng(0)
    light = rng.random((50, 64, 3), dtype=np.float32)
    code = develop.packed(light)
    seen = np.stack([develop.unpack(code, c) for c in range(3)], axis=-1)
    pictures = [aoi.record(scene, Sensor(), Lens(), STILL, PIXEL, 5) for scene in (code, seen)]
    assert np.array_equal(*pictures)


@pytest.mark.parametrize("shape", [(2, 2), (1, 200), (33, 7), (64, 64)])
def test_any_size(shape):
    assert aoi.record(np.zeros(shape, np.uint32), Sensor(), Lens(), STILL, PIXEL, 0).shape == (*shape, 3)
