"""Drifts: every law against its own inverse and against numerical ones, lives as drawn, refusals."""
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from scenes.errors import SceneError
from scenes.line.drifts import KINDS, Life, check, new_life, parameters, remaining, severity, worked_at
from scenes.line.model import Drift


def drift(kind: str, **more) -> Drift:
    module = {"": "", "nozzle": "nozzle3", "feeder": "feeder2", "zone": "zone7"}[KINDS[kind].module]
    return Drift("one", kind, KINDS[kind].station, more.pop("module", module), **more)


lives = st.builds(lambda kind, seed, spread: new_life(drift(kind, life_spread=spread), np.random.default_rng(seed)),
                  st.sampled_from(sorted(KINDS)), st.integers(0, 10_000), st.floats(0, 0.6, allow_subnormal=False))


def test_the_eleven_kinds_say_what_they_act_on():
    assert list(KINDS) == ["stencil_clog", "squeegee_wear", "nozzle_wear", "feeder_pitch", "zone_heater", "zone_blower_bearing",
                           "conveyor_bearing", "air_leak", "tube_ageing", "lamp_ageing", "camera_focus"]
    for kind in KINDS.values():
        assert bool(kind.defects) == (kind.acts == "process"), kind.name
        assert all(p.low <= p.default <= p.high for p in kind.parameters.values()), kind.name


@settings(deadline=None, derandomize=True, max_examples=200)
@given(lives, st.floats(0, 1.5, allow_subnormal=False), st.floats(0, 1.5, allow_subnormal=False))
def test_severity_rises_from_new_to_failed_and_useful_life_falls(life, a, b):
    a, b = sorted((a, b))
    assert severity(life, 0) == 0 and severity(life, life.length) == pytest.approx(1, abs=1e-12)
    low, high = severity(life, [a * life.length, b * life.length])
    assert 0 <= low <= high <= 1
    assert remaining(life, a * life.length) >= remaining(life, b * life.length) >= 0
    if a < 1:
        assert remaining(life, a * life.length) == pytest.approx((1 - a) * life.length)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(lives, st.floats(0, 1, allow_subnormal=False))
def test_work_and_severity_are_each_others_inverse(life, value):
    assert float(severity(life, worked_at(life, value))) == pytest.approx(value, abs=1e-9)
    found = float(worked_at(life, value))
    numeric = brentq(lambda w: float(severity(life, w)) - value, 0, life.length, xtol=1e-9 * life.length)
    assert found == pytest.approx(numeric, abs=1e-6 * life.length)


@pytest.mark.parametrize(("life", "at_half"), [
    (Life("exponential", 10.0, 4.0), (math.e**2 - 1) / (math.e**4 - 1)),
    (Life("exponential", 10.0, -1.5), (1 - math.e**-0.75) / (1 - math.e**-1.5)),
    (Life("exponential", 10.0, 0.0), 0.5),
    (Life("power", 10.0, 3.0), 0.125),
    (Life("creep", 10.0, 6.0), math.log(4) / math.log(7)),
    (Life("run_in", 10.0, 0.1, 0.05), 0.1 * (1 - math.e**-10) / (1 - math.e**-20) + 0.45)])
def test_half_way_by_hand(life, at_half):
    assert float(severity(life, 5.0)) == pytest.approx(at_half, rel=1e-12)


def test_running_in_is_inverted_where_an_exponential_would_overflow():
    """0.85·(1 − e^(−x / 0.005)) + 0.15·x = 0.03, to first order x = 0.005 · 0.03 / 0.85."""
    steep = Life("run_in", 1.0, 0.85, 0.005)
    assert float(worked_at(steep, 0.03)) == pytest.approx(0.005 * 0.03 / 0.85, rel=0.02)
    values = np.linspace(0, 1, 101)
    for life in (steep, Life("run_in", 7.0, 0.9, 0.5), Life("run_in", 7.0, 0.0, 0.05), Life("run_in", 7.0, 0.08, 0.0005)):
        assert severity(life, worked_at(life, values)) == pytest.approx(values, abs=1e-12)


def test_no_life_is_shorter_than_a_second_or_a_cycle():
    assert new_life(drift("air_leak", life=1e-9), np.random.default_rng(1)).length == 1.0


def test_a_life_is_drawn_once_around_its_mean():
    """Log-normal with the asked mean and coefficient of variation: within 4 standard errors over 4000 parts."""
    rng = np.random.default_rng(5)
    lengths = np.array([new_life(drift("nozzle_wear", life=1e5, life_spread=0.3), rng).length for _ in range(4000)])
    assert lengths.mean() == pytest.approx(1e5, abs=4 * 3e4 / math.sqrt(4000))
    assert lengths.std() / lengths.mean() == pytest.approx(0.3, rel=0.08)
    same = [new_life(drift("air_leak"), np.random.default_rng(3)) for _ in range(2)]
    assert same[0] == same[1]
    exact = new_life(drift("air_leak", life=7200.0, life_spread=0.0, parameters={"curve": 2.0, "curve_spread": 0.0}),
                     np.random.default_rng(1))
    assert exact.length == pytest.approx(7200, rel=1e-12) and exact.curve == pytest.approx(2, rel=1e-12)


def test_a_bearing_fails_late_and_a_stencil_clogs_early():
    """Half way through its life a spall has hardly begun; dried paste has done most of its work."""
    middle = {kind: float(severity(new_life(drift(kind, life_spread=0.0), np.random.default_rng(0)),
                                   0.5 * (KINDS[kind].life))) for kind in KINDS}
    assert middle["zone_blower_bearing"] < 0.2 and middle["conveyor_bearing"] < 0.2
    assert middle["stencil_clog"] > 0.6 and middle["lamp_ageing"] > 0.5


@pytest.mark.parametrize(("bad", "station", "message"), [
    (Drift("a", "nozle_wear", "p", "nozzle1"), "placement",
     r"drifts\.a\.kind: unknown drift 'nozle_wear'; did you mean 'nozzle_wear'\?"),
    (Drift("a", "nozzle_wear", "p", "nozzle9"), "placement", r"drifts\.a\.module: 'nozzle9' is none; give nozzle1 … nozzle8"),
    (Drift("a", "zone_heater", "r", "zone9"), "reflow", r"give zone1 … zone8"),
    (Drift("a", "air_leak", "p", "air"), "placement", r"has no modules"),
    (Drift("a", "air_leak", "p"), "printer", r"drifts\.a\.station: 'p' is of kind 'printer'; air_leak happens on 'placement'"),
    (Drift("a", "air_leak", "p", parameters={"hole": 1}), "placement", r"parameters\.hole: unknown; known: curve"),
    (Drift("a", "air_leak", "p", parameters={"conductance": 1.0}), "placement", r"is outside 0 … 1e-07 m3"),
    (Drift("a", "air_leak", "p", life=float("nan")), "placement", r"drifts\.a\.life"),
    (Drift("a", "air_leak", "p", initial=1.5), "placement", r"drifts\.a\.initial")])
def test_impossible_drifts_are_refused_with_the_place_and_the_mend(bad, station, message):
    with pytest.raises(SceneError, match=message):
        check(bad, station)


def test_a_scene_may_set_parameters():
    own = drift("zone_heater", parameters={"loss": 0.3})
    check(own, "reflow")
    assert parameters(own)["loss"] == 0.3 and parameters(drift("zone_heater"))["loss"] == 0.5
