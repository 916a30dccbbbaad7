"""Statistics of a verdict: exact binomial bounds, sample sizes, AUROC with its interval, latency quantiles.

Units are rates [1] unless a name says ppm. All bounds are one-sided at ``CONFIDENCE`` unless told otherwise. They hold
for independent units of the simulated line; they say nothing about another line.
Known answers in tests/training_bridge/test_verdict_stats.py come from MIL-HDBK-1823A practice (29 of 29 is 90/95) and scipy.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

CONFIDENCE = 0.95


def upper_bound(hits: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Clopper–Pearson upper bound of a rate after ``hits`` in ``trials``: the largest rate not rejected at 1 − confidence.

    No trial says nothing: the bound is 1.
    """
    _check(hits, trials)
    return 1.0 if hits == trials else float(stats.beta.ppf(confidence, hits + 1, trials - hits))


def lower_bound(hits: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Clopper–Pearson lower bound of a rate; 0 where there is no trial."""
    _check(hits, trials)
    return 0.0 if hits == 0 else float(stats.beta.ppf(1 - confidence, hits, trials - hits + 1))


def _check(hits: int, trials: int) -> None:
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} hits in {trials} trials: hits lie between 0 and the number of trials")


@dataclass(frozen=True)
class Rate:
    """A counted rate with both one-sided bounds. ``nan`` where nothing was tried."""
    hits: int
    trials: int

    @property
    def value(self) -> float:
        return self.hits / self.trials if self.trials else float("nan")

    @property
    def upper(self) -> float:
        return upper_bound(self.hits, self.trials)

    @property
    def lower(self) -> float:
        return lower_bound(self.hits, self.trials)

    def to_dict(self) -> dict[str, float | int | None]:
        """JSON-ready; the value is None where nothing was tried."""
        return {"hits": self.hits, "trials": self.trials, "value": self.value if self.trials else None,
                "upper95": self.upper, "lower95": self.lower}


def sample_size(reliability: float, failures: int = 0, confidence: float = CONFIDENCE) -> int:
    """Fewest trials that show ``reliability`` when at most ``failures`` of them fail, at ``confidence``."""
    miss = 1 - reliability
    if not 0 < miss < 1:
        raise ValueError(f"reliability {reliability}: lies strictly between 0 and 1")

    def shown(n: int) -> bool:
        return bool(stats.binom.cdf(failures, n, miss) <= 1 - confidence)

    high = failures + 1
    while not shown(high):
        high *= 2
    low = high // 2                                # the tail falls with n: bisect
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


@dataclass(frozen=True)
class Auroc:
    """Area under the ROC curve with its two-sided interval [1]."""
    value: float
    low: float
    high: float
    good: int
    bad: int

    def to_dict(self) -> dict[str, float | int]:
        return {"value": self.value, "low95": self.low, "high95": self.high, "good": self.good, "bad": self.bad}


def auroc(good: ArrayLike, bad: ArrayLike, confidence: float = CONFIDENCE) -> Auroc:
    """AUROC: chance that a bad unit scores above a good one, ties counted half, with DeLong's two-sided interval.

    The interval is taken on the logit scale, so that it stays inside (0, 1). At exactly 0 or 1 DeLong's variance
    is 0; there the open side is the exact bound for no discordance in min(good, bad) independent pairs.

    Args:
        good: Scores of good units, shape (G,).
        bad: Scores of bad units, shape (B,).

    Raises:
        ValueError: One of the classes is empty.
    """
    x, y = np.asarray(bad, np.float64), np.asarray(good, np.float64)
    m, n = len(x), len(y)
    if not m or not n:
        raise ValueError(f"AUROC needs both classes; there are {n} good and {m} bad scores")
    all_ranks = stats.rankdata(np.concatenate([x, y]))
    v10 = (all_ranks[:m] - stats.rankdata(x)) / n            # per bad: share of good ones below it
    v01 = 1 - (all_ranks[m:] - stats.rankdata(y)) / m        # per good: share of bad ones above it
    value = float(v10.mean())
    if value in (0.0, 1.0):
        pairs = min(m, n)
        edge = upper_bound(0, pairs, (1 + confidence) / 2)
        return Auroc(value, 1 - edge if value else 0.0, 1.0 if value else edge, n, m)
    variance = (v10.var(ddof=1) / m if m > 1 else 0.25) + (v01.var(ddof=1) / n if n > 1 else 0.25)
    logit = np.log(value / (1 - value))
    half = stats.norm.ppf((1 + confidence) / 2) * np.sqrt(variance) / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-(logit - half))), 1 / (1 + np.exp(-(logit + half)))
    return Auroc(value, float(low), float(high), n, m)


def quantile(values: ArrayLike, q: float) -> float:
    """Smallest observed value that at least a share ``q`` of the observations do not exceed (no interpolation)."""
    data: NDArray[np.float64] = np.sort(np.asarray(values, np.float64))
    if not len(data):
        raise ValueError("no values to take a quantile of")
    return float(data[max(0, int(np.ceil(q * len(data))) - 1)])


def shipped_ppm(escape: float, incoming: float) -> float:
    """Defective units among those that pass [ppm], at an escape rate [1] and an incoming defect rate [1], no false calls."""
    passed = incoming * escape + (1 - incoming)
    return 1e6 * incoming * escape / passed if passed else 0.0


__all__ = ["CONFIDENCE", "Auroc", "Rate", "auroc", "lower_bound", "quantile", "sample_size", "shipped_ppm", "upper_bound"]
