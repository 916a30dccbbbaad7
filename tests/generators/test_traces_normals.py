"""Fast normals against the bell; what is kept and what is not; filters in one go against filters one by one."""
import numpy as np
import pytest
from scipy import signal, stats

from generators.traces.kept import LONGEST, frequencies
from generators.traces.normals import SHARES, normals
from generators.traces.sensor import SensorModel, anti_alias, measured
from generators.traces.tones import tones


def test_normals_are_normal():
    """Kolmogorov–Smirnov on a million; the moments within five standard errors of those of the bell."""
    found = normals(np.random.default_rng(1), 1_000_000).astype(np.float64)
    assert stats.kstest(found, "norm").pvalue > 0.01
    assert abs(found.mean()) < 5e-3 and found.var() == pytest.approx(1.0, abs=7e-3)
    assert stats.skew(found) == pytest.approx(0.0, abs=0.013) and stats.kurtosis(found) == pytest.approx(0.0, abs=0.025)
    assert abs(np.corrcoef(found[:-4], found[4:])[0, 1]) < 5e-3


def test_every_share_of_the_bell_is_its_mean():
    """Exactly: variance 1, mean 0, the largest near 4.39; between two quantiles the mean of a normal."""
    table = np.unique(normals(np.random.default_rng(2), 4_000_000).astype(np.float64))
    assert len(table) == pytest.approx(SHARES, abs=4) and table.max() == pytest.approx(4.3875, abs=1e-3)
    k = 60_000
    expected = stats.truncnorm(stats.norm.ppf(k / SHARES), stats.norm.ppf((k + 1) / SHARES)).mean()
    assert np.abs(table - expected).min() < 1e-5


def test_the_first_normals_do_not_depend_on_how_many_are_asked_for():
    few, many = (normals(np.random.default_rng(3), n) for n in (1001, 4000))
    assert few.dtype == np.float32 and np.array_equal(few, many[:1001])
    assert len(normals(np.random.default_rng(3), 0)) == 0
    few[0] = 0                                                            # fresh: a caller may write
    assert normals(np.random.default_rng(3), 1)[0] == many[0]


def test_short_spectra_are_kept_and_long_ones_are_not():
    assert frequencies(1000, 10.0) is frequencies(1000, 10.0)
    assert frequencies(1000, 10.0) == pytest.approx(np.fft.rfftfreq(1000, 0.1))
    with pytest.raises(ValueError, match="read-only"):
        frequencies(1000, 10.0)[0] = 1.0
    long = frequencies(LONGEST + 1, 10.0)
    assert long is not frequencies(LONGEST + 1, 10.0) and len(long) == LONGEST // 2 + 1


def test_tones_are_cosines():
    time = np.arange(3001) / 12_800
    expected = 2.0 * np.cos(2 * np.pi * 50 * time + 0.3) + 0.5 * np.cos(2 * np.pi * 6000.3 * time - 1)
    assert tones(3001, 12_800.0, [(50.0, 2.0, 0.3), (6000.3, 0.5, -1.0)]) == pytest.approx(expected, abs=1e-10)
    assert not tones(7, 12_800.0, []).any()


def test_filters_in_one_go_are_filters_one_by_one():
    """scipy's own sections, settled one after the other; and a range that is near is met before the last of them."""
    rate, x = 10_000.0, np.random.default_rng(4).standard_normal(20_000) + 3
    model = SensorModel(-100.0, 100.0, 2000.0, 1.0, anti_alias=True)
    front, coupling = signal.butter(2, 2000.0, fs=rate, output="sos"), signal.butter(1, 1.0, "highpass", fs=rate, output="sos")
    y = signal.sosfilt(front, x, zi=signal.sosfilt_zi(front) * x[0])[0]
    y = signal.sosfilt(coupling, y, zi=signal.sosfilt_zi(coupling) * x.mean())[0]
    z = signal.sosfilt(anti_alias(1), y, zi=signal.sosfilt_zi(anti_alias(1)) * y[0])[0]
    found = measured(x, rate, model, np.random.default_rng(5))
    assert found[50:] == pytest.approx(z[50:], abs=1e-3)                  # they may settle a little differently
    tight = SensorModel(-1.5, 1.5, 2000.0, 1.0, anti_alias=True)
    clipped = np.clip(y, -1.5, 1.5)
    expected = signal.sosfilt(anti_alias(1), clipped, zi=signal.sosfilt_zi(anti_alias(1)) * clipped[0])[0]
    assert measured(x, rate, tight, np.random.default_rng(5))[50:] == pytest.approx(np.clip(expected, -1.5, 1.5)[50:], abs=1e-3)


def test_a_silent_channel_stays_silent():
    x = np.zeros(50_000)
    x[:100] = 1.0
    quiet = measured(x, 10_000.0, SensorModel(bandwidth=1000.0, coupling=1.0, anti_alias=True), np.random.default_rng(6))
    assert np.abs(quiet[40_000:]).max() < 1e-9
