"""Process parameters: JSON round trip, drifts, refusals."""
import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenes.errors import RecipeError
from scenes.smt.process import DRIFTS, FAULTS, Fault, Process, drifted, from_dict, to_dict

finite = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)


@st.composite
def processes(draw):
    names = draw(st.lists(st.sampled_from(sorted(DRIFTS)), unique=True, max_size=8))
    drifts = {n: draw(st.floats(DRIFTS[n][1], DRIFTS[n][2], allow_subnormal=False)) for n in names}
    faults = []
    for kind in draw(st.lists(st.sampled_from(sorted(FAULTS)), max_size=5)):
        values = tuple(draw(finite) for _ in FAULTS[kind])
        faults.append(Fault(kind, draw(st.integers(-1, 500)), draw(st.integers(-1, 900)), draw(st.integers(-1, 900)), values))
    return drifted(Process(), drifts).with_faults(*faults)


@settings(deadline=None, derandomize=True)
@given(processes())
def test_json_round_trip_is_exact(process):
    assert from_dict(json.loads(json.dumps(to_dict(process)))) == process


def test_every_drift_changes_the_process_and_its_healthy_value_does_not():
    for name, (healthy, low, high, _) in DRIFTS.items():
        assert low <= healthy <= high
        assert drifted(Process(), {name: healthy}) == Process(), name
        moved = drifted(Process(), {name: high if high != healthy else low})
        assert moved != Process(), name
        stage = {"printer": "printer", "placement": "placement", "oven": "oven", "handling": "handling"}[name.split(".")[0]]
        before, after = asdict(Process()), asdict(moved)
        assert [k for k in before if before[k] != after[k]] == [stage], name


def test_drifts_apply_in_one_order_whatever_the_recipe_says():
    one = {"oven.zone7_8_offset_c": -7.3, "printer.clog": 0.2, "oven.speed_factor": 1.1}
    assert drifted(Process(), one) == drifted(Process(), dict(reversed(one.items())))


def test_drift_units():
    process = drifted(Process(), {"printer.offset_um": 80, "oven.zone7_8_offset_c": -20, "oven.speed_factor": 1.2})
    assert process.printer.offset_x == pytest.approx(80e-6)
    assert process.oven.zones[6:8] == (228.0, 232.0) and process.oven.zones[5] == 225.0
    assert process.oven.speed == pytest.approx(0.84)


def test_unknown_drift_says_what_was_meant():
    message = r"drifts\.oven\.zone7_8_ofset_c: unknown drift; did you mean 'oven\.zone7_8_offset_c'\?"
    with pytest.raises(RecipeError, match=message):
        drifted(Process(), {"oven.zone7_8_ofset_c": -10})


@pytest.mark.parametrize("value", [float("nan"), 1.5, -0.1])
def test_impossible_drift_is_refused(value):
    with pytest.raises(RecipeError, match=r"drifts\.printer\.clog"):
        drifted(Process(), {"printer.clog": value})


def test_unknown_settings_and_faults_are_refused():
    data = to_dict(Process())
    with pytest.raises(RecipeError, match=r"process\.printer\.pressure: unknown process setting"):
        from_dict({**data, "printer": {**data["printer"], "pressure": 1.0}})
    with pytest.raises(RecipeError, match="not a fault"):
        from_dict({**data, "faults": [{"kind": "gremlin", "values": []}]})
    with pytest.raises(RecipeError, match="unknown stage"):
        from_dict({**data, "washing": {}})
