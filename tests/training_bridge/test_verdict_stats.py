"""Statistics against published answers, scipy and brute force."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from training_bridge import stats


def test_known_demonstrations():
    """MIL-HDBK-1823A practice: 29 of 29 shows 90/95, 45 of 46 too, 59 of 59 shows 95/95."""
    assert stats.lower_bound(29, 29) >= 0.90 > stats.lower_bound(28, 28)
    assert stats.lower_bound(45, 46) >= 0.90 > stats.lower_bound(44, 45)
    assert stats.lower_bound(59, 59) >= 0.95 > stats.lower_bound(58, 58)
    assert 1 - stats.lower_bound(29, 29) == pytest.approx(1 - 0.05 ** (1 / 29), rel=1e-9)      # closed form for no miss


@pytest.mark.parametrize(("reliability", "failures", "confidence", "trials"), [
    (0.999, 0, 0.95, 2995), (0.999, 0, 0.99, 4603), (0.999, 1, 0.95, 4742), (0.999, 2, 0.95, 6294), (0.999, 3, 0.95, 7752),
    (0.99, 0, 0.95, 299), (0.95, 0, 0.95, 59), (0.9, 0, 0.95, 29),
])
def test_sample_sizes(reliability, failures, confidence, trials):
    assert stats.sample_size(reliability, failures, confidence) == trials


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_bounds_agree_with_scipy(case):
    """scipy's exact binomial interval of both sides at 90 % has our one-sided 95 % bounds as its ends."""
    hits, trials = case
    exact = reference.binomtest(hits, trials).proportion_ci(0.90, "exact")
    assert stats.lower_bound(hits, trials) == pytest.approx(exact.low, abs=1e-9)
    assert stats.upper_bound(hits, trials) == pytest.approx(exact.high, abs=1e-9)


def test_nothing_tried_says_nothing():
    rate = stats.Rate(0, 0)
    assert (rate.lower, rate.upper) == (0.0, 1.0)
    assert rate.to_dict()["value"] is None
    with pytest.raises(ValueError, match="3 hits in 2 trials"):
        stats.upper_bound(3, 2)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=25), st.lists(st.integers(0, 5), min_size=2, max_size=25))
def test_auroc_is_the_share_of_ordered_pairs(good, bad):
    """Brute force over all pairs, ties counted half, and DeLong's variance from its definition."""
    pairs = np.array([[1.0 if b > g else 0.5 if b == g else 0.0 for g in good] for b in bad])
    area = stats.auroc(good, bad)
    assert area.value == pytest.approx(pairs.mean())
    if 0 < pairs.mean() < 1:
        sd = np.sqrt(pairs.mean(axis=1).var(ddof=1) / len(bad) + pairs.mean(axis=0).var(ddof=1) / len(good))
        half = 1.959963984540054 * sd / (pairs.mean() * (1 - pairs.mean()))
        logit = np.log(area.value / (1 - area.value))
        assert area.low == pytest.approx(1 / (1 + np.exp(half - logit)))
        assert area.high == pytest.approx(1 / (1 + np.exp(-half - logit)))


def test_auroc_interval_covers():
    """Two normals one apart: the true area is Φ(1/√2) = 0.7602; 95 % intervals cover it 95 % of the time, give or take."""
    truth = reference.norm.cdf(1 / np.sqrt(2))
    rng = np.random.default_rng(7)
    areas = [stats.auroc(rng.normal(0, 1, 60), rng.normal(1, 1, 40)) for _ in range(400)]
    covered = np.mean([a.low <= truth <= a.high for a in areas])
    assert 0.92 <= covered <= 0.98                     # 0.95 ± 2.7 standard errors of 400 draws


def test_perfect_separation_still_has_an_interval():
    area = stats.auroc([0, 1, 2], [3, 4])
    assert (area.value, area.high) == (1.0, 1.0)
    assert area.low == pytest.approx(0.025 ** (1 / 2))          # no discordance in two pairs
    with pytest.raises(ValueError, match="both classes"):
        stats.auroc([], [1.0])


def test_quantile_is_an_observation():
    values = list(range(1, 101))
    assert (stats.quantile(values, 0.5), stats.quantile(values, 0.99), stats.quantile(values, 1.0)) == (50, 99, 100)
    assert stats.quantile([3.0], 0.01) == 3.0


def test_shipped_ppm():
    """1 % escapes at 2000 ppm incoming ship 0.002·0.01 / (0.002·0.01 + 0.998) = 20.04 ppm."""
    assert stats.shipped_ppm(0.01, 2000e-6) == pytest.approx(1e6 * 2e-5 / 0.99802, rel=1e-12)
    assert stats.shipped_ppm(1.0, 2000e-6) == pytest.approx(2000.0)
