"""The short form of the causality benchmark: three process drifts and one instrument, a few hundred episodes."""
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from scenes.line.drifts import KINDS


@pytest.fixture(scope="module")
def causality():
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "causality.py"
    spec = importlib.util.spec_from_file_location("causality", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["causality"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results(causality, tmp_path_factory):
    causality.UNITS = 3
    kinds = ("squeegee_wear", "zone_blower_bearing", "conveyor_bearing", "camera_focus")
    return causality.measure(tmp_path_factory.mktemp("causality"), kinds, 200, 0)


def test_sensors_predict_what_their_drift_does(results):
    for kind, r in results.items():
        rho, p = r.correlation()
        best = min(r.touched, key=lambda c: p[c])
        assert p[best] < 1e-6 and abs(rho[best]) > 0.4, kind
    zone, rho = results["zone_blower_bearing"], results["zone_blower_bearing"].correlation()[0]
    names = [s.channel for s in zone.line.sensors]
    assert rho[names.index("reflow/zone7/temperature")] < -0.5           # the reference asks this of zone and cold joints
    assert rho[names.index("reflow/zone7/blower_velocity")] > 0.5


def test_other_sensors_know_nothing(results):
    """200 episodes: |ρ| of 125 independent sensors stays below 4.5 standard errors."""
    for kind, r in results.items():
        worst, channel = r.control()
        assert worst < 4.5 / np.sqrt(200), (kind, channel)
        rest = [c for c in range(r.sensors.shape[1]) if c not in r.touched]
        assert np.mean(np.abs(r.correlation()[0][rest])) < 1.2 * np.sqrt(2 / np.pi / 200), kind


def test_an_instrument_changes_calls_and_not_defects(results):
    focus = results["camera_focus"]
    (false, p), (real, _) = focus.correlation(0), focus.correlation(2)
    c = focus.touched[0]
    assert KINDS["camera_focus"].acts == "instrument" and false[c] < -0.4 and p[c] < 1e-6
    assert abs(real[c]) < 4.5 / np.sqrt(200)


def test_a_sensor_moves_before_the_defects_do(causality):
    """Stencil clogging, six ramps: every sensor first on each; (1/2)⁶ by chance."""
    causality.UNITS, causality.HEALTHY, causality.LOOKS = 2, 100, 40
    left = causality.ramps("stencil_clog", 0, 6)["left"]
    assert left.shape == (6, 4)
    assert (left[:, -1] < np.inf).all() and (left[:, :-1].min(axis=1) < left[:, -1]).all()


def test_the_table_names_every_drift(causality, results):
    text = causality.markdown(results)
    assert all(KINDS[kind].title in text for kind in results) and "128 sensors" in text
