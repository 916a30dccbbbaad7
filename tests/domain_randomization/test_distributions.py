"""Distributions: one draw each, by the inverse of their distribution function."""
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from domain_randomization.distributions import Choice, Distribution, Normal

KINDS = [0.3, {"uniform": [-2, 5]}, {"loguniform": [0.01, 100]}, {"normal": {"mean": 1, "std": 2}},
         {"normal": {"mean": 1, "std": 2, "low": 0.5, "high": 9}}, {"choice": [1, 2, 8], "weights": [1, 0, 3]}]


@given(st.sampled_from(KINDS), st.floats(0, 1, exclude_max=True, allow_subnormal=False))
def test_values_stay_within_their_ends_and_rise_with_u(data, u):
    distribution = Distribution.model_validate(data)
    low, high = distribution.ends()
    assert low <= distribution.at(u) <= high
    if distribution.choice is None:
        assert distribution.at(u / 2) <= distribution.at(u)


@pytest.mark.parametrize(("data", "reference"), [
    ({"uniform": [-2, 5]}, stats.uniform(-2, 7)),
    ({"loguniform": [0.01, 100]}, stats.loguniform(0.01, 100)),
    ({"normal": {"mean": 1, "std": 2}}, stats.truncnorm(-3, 3, 1, 2)),
    ({"normal": {"mean": 1, "std": 2, "low": 0.5, "high": 9}}, stats.truncnorm(-0.25, 4, 1, 2)),
])
def test_quantiles_are_those_of_scipy(data, reference):
    distribution = Distribution.model_validate(data)
    for u in np.linspace(0.001, 0.999, 21):
        assert distribution.at(float(u)) == pytest.approx(reference.ppf(u), rel=1e-6, abs=1e-9)


def test_a_choice_falls_where_its_weight_lies():
    choice = Choice(choice=("a", "b", "c"), weights=(1, 0, 3))
    assert [choice.at(u) for u in (0.0, 0.2499, 0.25, 0.999999)] == ["a", "a", "c", "c"]


@pytest.mark.parametrize("data", [
    {}, {"uniform": [2, 1]}, {"uniform": [0, 1], "constant": 3}, {"loguniform": [0, 1]}, {"choice": []}, "wide", None,
    {"uniform": [0, math.nan]}, {"choice": [1, 2], "weights": [1]}, {"choice": [1], "weights": [0]},
    {"normal": {"mean": 0, "std": 1, "low": 1}},
])
def test_nonsense_is_refused(data):
    with pytest.raises(ValidationError):
        Distribution.model_validate(data)


def test_a_normal_without_spread_is_its_mean():
    assert Distribution(normal=Normal(mean=4, std=0)).at(0.9) == 4
