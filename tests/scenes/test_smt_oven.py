"""The lumped oven against the reference's own solution (domain reference 3.4) and a numerical integration."""
from dataclasses import replace

import numpy as np
import pytest

from scenes.smt.oven import Oven, reflow_profile

FASTER = replace(Oven(), speed=0.75)


def _zones(oven: Oven, offset: float) -> Oven:
    zones = list(oven.zones)
    zones[6] += offset
    zones[7] += offset
    return replace(oven, zones=tuple(zones))


@pytest.mark.parametrize(("oven", "soak", "above", "peak"), [
    (Oven(), 71.4, 61.5, 245.4),
    (FASTER, 66.2, 56.0, 244.3),
    (_zones(FASTER, -10), 66.2, 50.5, 235.8),
    (_zones(FASTER, -20), 66.2, 40.6, 227.3),
    (replace(FASTER, convection=44.0), 65.0, 49.4, 239.8),
    (replace(FASTER, speed=0.9), 54.4, 42.4, 240.8),
    (replace(FASTER, thermal_mass=1.5), 60.4, 40.5, 234.9),
], ids=["reference", "0.75 m/min", "zones -10", "zones -20", "blower", "speed", "mass"])
def test_reference_oven_and_its_drifts(oven, soak, above, peak):
    profile = reflow_profile(oven)
    assert profile.soak == pytest.approx(soak, abs=0.5)
    assert profile.above == pytest.approx(above, abs=0.5)
    assert profile.peak == pytest.approx(peak, abs=0.3)


def test_reference_slopes_and_time_constant():
    profile = reflow_profile(Oven())
    assert profile.tau == pytest.approx(29.6, abs=0.05)
    assert profile.ramp == pytest.approx(2.86, abs=0.02)
    assert profile.cooling == pytest.approx(-3.9, abs=0.05)


@pytest.mark.parametrize("threshold", [60.0, 140.0, 200.0, 217.0, 240.0, 245.0, 260.0])
def test_time_above_agrees_with_a_fine_time_grid(threshold):
    profile = reflow_profile(Oven())
    times = np.linspace(0, profile.duration, 20001)
    curve = np.concatenate([gas + (first - gas) * np.exp(-times / profile.tau)
                            for first, gas in zip(profile.start[:-1], profile.zone, strict=True)])
    share = (curve > threshold).mean() * profile.duration * len(profile.zone)
    assert float(profile.time_above(np.array(threshold))) == pytest.approx(share, abs=0.05)


def test_a_board_that_never_melts_has_no_time_above():
    profile = reflow_profile(replace(Oven(), zones=(100.0,) * 8 + (60.0, 40.0)))
    assert profile.above == 0 and profile.melting == 0 and profile.peak < 100
