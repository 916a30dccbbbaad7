"""Drifts inside the flow: lives are spent by work alone, useful life is exact, alarms, maintenance and failures come in order."""
from __future__ import annotations

import numpy as np
import pytest
from line_fixture import events, line, same, station

from scenes.line import drifts
from scenes.line.flow import LOOK, simulate_line
from scenes.line.model import Drift, State

HOUR = 3600.0
OVEN = station("reflow", "reflow", "", 20.0, interval=5.0, slots=5)


def heater(**more):
    return Drift("heater", "zone_heater", "reflow", "zone7", **{"life": 2 * HOUR, "life_spread": 0.0, "repair": 600.0, **more})


def run(a_line, duration=12 * HOUR, seed=1):
    return simulate_line(a_line, duration, np.random.default_rng(seed))


def test_useful_life_is_what_is_left_until_the_failure():
    """An oven that is never empty: two hours of work are two hours, and what remains is known at every look."""
    found = run(line(OVEN, takt=6.0, drifts=(heater(),)))
    faults = [e.time for e in events(found, "fault")]
    assert faults[0] == pytest.approx(2 * HOUR, abs=1e-4)
    assert faults[1] == pytest.approx(4 * HOUR + 600.0, abs=1e-4)         # ten minutes of repair in between do not wear
    before = found.times <= faults[0]
    assert found.remaining[before, 0] == pytest.approx(faults[0] - found.times[before], abs=1e-4)
    during = (found.times > faults[0]) & (found.times < faults[0] + 600.0)
    assert (found.severity[during, 0] == 1.0).all() and (found.remaining[during, 0] == 0.0).all()
    after = (found.times > faults[0] + 600.0) & (found.times < faults[1])
    assert found.remaining[after, 0] == pytest.approx(faults[1] - found.times[after], abs=1e-4)
    repairs = events(found, "repair")
    assert (repairs[0].drift, repairs[0].code, repairs[0].duration) == ("heater", "zone_heater", 600.0)


def test_an_idle_machine_does_not_wear():
    """One board an hour, 20 s inside each: after 12 hours 240 s of work."""
    found = run(line(OVEN, takt=HOUR, drifts=(heater(),)))
    assert 2 * HOUR - found.remaining[-1, 0] == pytest.approx(12 * 20.0)


def test_a_life_by_cycles_ends_with_its_last_board():
    drift = Drift("nozzle", "nozzle_wear", "placement", "nozzle3", life=100, life_spread=0.0, repair=60.0)
    found = run(line(station("placement", "placement", "", 8.0), drifts=(drift,)), 4 * HOUR)
    faults = [e.time for e in events(found, "fault")]
    assert faults == found.finish[99::100, 0][:len(faults)].tolist()
    assert len(faults) >= 10
    assert found.start[100, 0] == faults[0] + 60.0                        # the next board waits for the repair


def test_alarm_then_maintenance_at_a_free_moment():
    found = run(line(station("printer", "printer", "", 8.0), takt=9.0, drifts=(
        Drift("clog", "stencil_clog", "printer", life=1000, life_spread=0.0, alarm=0.5, maintain=0.8, repair=120.0),)), 24 * HOUR)
    assert not events(found, "fault")
    alarms, works = events(found, "alarm"), events(found, "maintenance")
    assert len(works) >= 5 and len(alarms) in (len(works), len(works) + 1)
    for alarm, work in zip(alarms, works, strict=False):
        look = np.searchsorted(found.times, alarm.time)
        assert found.severity[look, 0] >= 0.5 > found.severity[look - 1, 0]
        asked = int(np.searchsorted(found.times, work.time, side="right")) - 1
        assert found.severity[asked, 0] >= 0.8 and found.severity[asked - 1, 0] < 0.8
        assert work.time - found.times[asked] <= 8.0                      # at most a cycle later
        assert not ((found.start[:, 0] < work.time) & (found.finish[:, 0] > work.time)).any()
        assert found.severity_at(work.time + 120.0 + LOOK)[0] < 0.1
        assert work.operator and work.drift == "clog"
    codes = [e.code for e in events(found, "state") if works[0].time <= e.time <= works[0].time + 121]
    assert str(int(State.SCHEDULED_DOWN)) in codes


def test_an_oven_runs_empty_for_its_maintenance():
    found = run(line(OVEN, takt=6.0, drifts=(heater(maintain=0.5),)))
    work = events(found, "maintenance")[0]
    inside = (found.start[:, 0] < work.time) & (found.finish[:, 0] > work.time)
    assert not inside.any() and not events(found, "fault")


def test_nothing_happens_before_the_start_and_the_initial_severity_is_there():
    found = run(line(OVEN, takt=6.0, drifts=(heater(start=HOUR, initial=0.4, life=4 * HOUR),)), 2 * HOUR)
    early = found.times <= HOUR
    assert found.severity[early, 0] == pytest.approx(0.4)
    assert (np.diff(found.severity[~early, 0]) > 0).all()
    life = drifts.Life("exponential", 4 * HOUR, 1.5)                      # the curve varies by a tenth from part to part
    assert found.remaining[0, 0] == pytest.approx(4 * HOUR - float(drifts.worked_at(life, 0.4)), rel=0.1)


def test_another_drift_leaves_every_other_draw_alone():
    stations = (station("printer", "printer", "", 8.0, cycle_std=1.0, mtbf=HOUR, mttr=60.0),
                station("aoi", "aoi", "printer", 8.0))
    lamps = Drift("lamps", "lamp_ageing", "aoi", life=1000 * HOUR)
    clog = Drift("clog", "stencil_clog", "printer", life=800)
    one, two = run(line(*stations, drifts=(clog,))), run(line(*stations, drifts=(lamps, clog)))
    assert same(one, two) and one.events == two.events
    assert np.array_equal(one.severity[:, 0], two.severity[:, 1])
