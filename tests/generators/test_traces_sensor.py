"""What a sensor does to a true signal, against the formulas of its parts."""
import numpy as np
import pyarrow as pa
import pytest
from scipy import signal

from generators.dataset.schema import TRACES
from generators.traces.sensor import SensorModel, anti_alias, history, lost, measured, model_of, window
from scenes.line.model import Sensor

CHANNEL = Sensor("reflow/zone7/temperature", "reflow", "temperature", "°C", low=0.0, high=300.0, resolution=0.1, noise=0.0,
                 clock_offset=2.5)


def rng(seed=7):
    return np.random.default_rng(seed)


def test_the_quantiser_errs_by_a_twelfth_of_its_step_squared():
    true = rng().uniform(-50, 50, 400_000)
    error = history(true, SensorModel(resolution=0.25), rng()) - true
    assert error.mean() == pytest.approx(0, abs=4 * 0.25 / np.sqrt(12 * len(true)))
    assert error.var() == pytest.approx(0.25 ** 2 / 12, rel=0.01)
    assert np.abs(error).max() <= 0.125 + 1e-5


def test_the_quantiser_is_mid_tread():
    read = history(np.array([-0.3, -0.2, 0.0, 0.2, 0.3]), SensorModel(resolution=0.5), rng())
    assert read.tolist() == [-0.5, 0.0, 0.0, 0.0, 0.5]


def test_readings_stay_on_steps_inside_the_range():
    read = history(np.array([-9.0, 0.04, 5.0, 9.0]), SensorModel(low=-1.05, high=6.25, resolution=0.1), rng())
    assert read == pytest.approx([-1.0, 0.0, 5.0, 6.2], abs=1e-6)
    free = history(np.array([-9.0, 5.01, 9.0]), SensorModel(low=-1.05, high=6.25), rng())
    assert free == pytest.approx([-1.05, 5.01, 6.25], abs=1e-6)


def test_noise_has_its_standard_deviation():
    read = history(np.full(200_000, 20.0), SensorModel(noise=0.3), rng())
    assert read.std() == pytest.approx(0.3, rel=0.01)
    assert read.mean() == pytest.approx(20.0, abs=4 * 0.3 / np.sqrt(200_000))


@pytest.mark.parametrize("length", [1.0, 8.0])
def test_losses_have_their_share_and_their_length(length):
    share, count = 0.02, 1_000_000
    gone = lost(count, SensorModel(dropout=share, dropout_length=length), rng())
    runs = 1 + np.count_nonzero(np.diff(gone) > 1)
    assert len(gone) / count == pytest.approx(share, rel=4 * np.sqrt(2 * length / (share * count)))
    assert len(gone) / runs == pytest.approx(max(length, 1 / (1 - share)), rel=0.05)
    read = history(np.ones(5000), SensorModel(dropout=share, dropout_length=length), rng(1))
    assert np.isnan(read).any() and np.all(read[~np.isnan(read)] == 1)


def test_everything_or_nothing_can_get_lost():
    assert np.isnan(history(np.ones(9), SensorModel(dropout=1.0), rng())).all()
    assert len(history(np.empty(0), SensorModel(dropout=0.5, noise=1.0), rng())) == 0
    assert np.isnan(history(np.array([1.0, np.nan]), SensorModel(resolution=0.1), rng())).tolist() == [False, True]


def test_a_line_sensor_will_do_for_a_history():
    assert history(np.array([20.04, 999.0]), CHANNEL, rng()).tolist() == pytest.approx([20.0, 300.0])
    assert model_of(CHANNEL).clock_offset == 2.5


def test_the_filter_takes_away_what_would_fold_back():
    """1 of 8 readings of 51.2 kHz is 6.4 kHz: 5 kHz would appear at 1.4 kHz, and 2.4 kHz must pass."""
    rate, every, time = 51_200, 8, np.arange(51_200 * 2) / 51_200
    for tone, gain_db in ((5000.0, -80.0), (3950.0, -80.0)):
        read = measured(np.sin(2 * np.pi * tone * time), rate, SensorModel(), rng(), every=every)[2000:]
        assert 20 * np.log10(read.std() * np.sqrt(2)) < gain_db
    kept = measured(np.sin(2 * np.pi * 2400.0 * time), rate, SensorModel(), rng(), every=every)[2000:]
    assert 20 * np.log10(kept.std() * np.sqrt(2)) == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize("every", [1, 2, 5, 20])
def test_the_anti_alias_filter_is_flat_to_0_39_and_down_beyond_0_61(every):
    frequency, gain = signal.sosfreqz(anti_alias(every), worN=1 << 16, fs=every)      # in units of the converter's rate
    level = 20 * np.log10(np.abs(gain) + 1e-12)
    assert np.all(np.abs(level[frequency <= 0.39]) < 0.06)
    assert np.all(level[frequency >= 0.61] < -79.9)


def test_noise_density_is_the_density_of_the_readings():
    rate = 10_000.0
    read = measured(np.zeros(400_000), rate, SensorModel(noise_density=2e-3), rng())
    assert read.std() == pytest.approx(2e-3 * np.sqrt(rate / 2), rel=0.01)
    _, power = signal.welch(read, rate, nperseg=1000)
    assert np.sqrt(power[10:-10].mean()) == pytest.approx(2e-3, rel=0.02)


def test_bandwidth_and_coupling_are_3_db_points():
    rate, time = 20_000, np.arange(200_000) / 20_000
    for model, tone in ((SensorModel(bandwidth=1000.0), 1000.0), (SensorModel(coupling=5.0), 5.0)):
        read = measured(np.sin(2 * np.pi * tone * time), rate, model, rng())[40_000:]
        assert 20 * np.log10(read.std() * np.sqrt(2)) == pytest.approx(-3.01, abs=0.05)


def test_ac_coupling_starts_settled():
    """Neither an offset nor the phase at which a window begins leaves a slow tail."""
    assert np.abs(measured(np.full(1000, 7.0), 1000.0, SensorModel(coupling=0.5), rng())).max() < 1e-6
    running = 7.0 + np.cos(2 * np.pi * 50 * np.arange(2000) / 1000)
    assert np.abs(measured(running, 1000.0, SensorModel(coupling=0.5), rng()).reshape(-1, 20).mean(axis=1)).max() < 0.02


def test_the_clock_moves_stamps_and_never_values():
    true = rng().standard_normal(1000)
    exact = window(true, 1000.0, CHANNEL, SensorModel(noise=0.1), rng(), start=100.0)
    fast = window(true, 1000.0, CHANNEL, SensorModel(noise=0.1, clock_offset=2.5, clock_skew=1e-3), rng(), start=100.0)
    assert exact.start_ns == 100_000_000_000 and fast.start_ns == 102_600_000_000            # 2.5 s and a thousandth of 100 s
    assert fast.sample_rate == pytest.approx(1000 / 1.001)
    assert np.array_equal(exact.values, fast.values)


def test_a_trace_fits_the_shard():
    trace = window(np.zeros(64), 6400.0, CHANNEL, SensorModel(dropout=0.5), rng(), start=1.0, every=4)
    assert trace.values.dtype == np.float32 and len(trace.values) == 16 and trace.sample_rate == 1600.0
    assert set(trace.row()) == {f.name for f in TRACES}
    assert pa.array([dict(trace.row())], TRACES)[0].as_py()["channel"] == "reflow/zone7/temperature"


def test_the_same_generator_gives_the_same_bytes():
    model = SensorModel(-5, 5, 4000.0, 1.0, True, 0.01, 0.02, 1e-4, 0.01, 3.0)
    true = rng(1).standard_normal(20_000)
    assert measured(true, 10_000.0, model, rng(2)).tobytes() == measured(true, 10_000.0, model, rng(2)).tobytes()
    assert history(true, model, rng(2)).tobytes() == history(true, model, rng(2)).tobytes()
