"""Lamp flicker over an exposure, against numerical integration."""
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from generators.imaging.flicker import Flicker


@given(time=st.floats(0, 1, allow_subnormal=False), exposure=st.floats(1e-5, 0.05), depth=st.floats(0, 1, allow_subnormal=False),
       phase=st.floats(0, 6.3, allow_subnormal=False),
       frequency=st.sampled_from([100.0, 120.0]))
def test_factor_is_the_mean_over_the_exposure(time, exposure, depth, phase, frequency):
    lamp = Flicker(frequency, depth, phase)
    light, _ = integrate.quad(lambda t: 1 + depth * math.cos(2 * math.pi * frequency * t + phase), time, time + exposure,
                              limit=200)
    assert lamp.factor(time, exposure) == pytest.approx(light / exposure, abs=1e-6)


@pytest.mark.parametrize("frequency", [100.0, 120.0])
def test_whole_periods_do_not_flicker(frequency):
    lamp = Flicker(frequency, 0.8, 0.3)
    assert [lamp.factor(t, 3 / frequency) for t in np.linspace(0, 0.02, 9)] == pytest.approx([1] * 9)


def test_short_exposures_follow_the_lamp_and_a_clip_beats():
    """30 frames/s under 100 Hz light: three frames of 10/3 periods each, so the brightness repeats after three frames."""
    lamp = Flicker(100.0, 0.5)
    frames = [lamp.factor(k / 30, 1e-6) for k in range(6)]
    assert frames[0] == pytest.approx(1.5, abs=1e-4)
    assert frames[:3] == pytest.approx(frames[3:], abs=1e-9)
    assert frames[1] == pytest.approx(1 + 0.5 * math.cos(2 * math.pi / 3), abs=1e-3)


def test_a_steady_lamp_is_steady():
    assert Flicker().factor(0.123, 1e-4) == 1
