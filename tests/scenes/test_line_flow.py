"""A line in motion: places, the oven, sampling, parallel stations, lots, shifts, people, supplies."""
from __future__ import annotations

import math
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest
from line_fixture import events, line, same, station

from scenes.errors import SceneError
from scenes.line.flow import simulate_line, simulate_site
from scenes.line.model import Changeover, Drift, State, Supply
from scenes.line.oee import state_seconds, state_shares
from scenes.smt.process import Printer

HOUR, DAY = 3600.0, 86400.0


def run(a_line, duration=HOUR, seed=1):
    return simulate_line(a_line, duration, np.random.default_rng(seed))


def test_a_fixed_line_can_be_followed_by_hand():
    """Takt 10 s, printer 4 s, oven 30 s in which three fit, a new one every 8 s at least."""
    found = run(line(station("printer", "printer", "", 4.0),
                     station("reflow", "reflow", "printer", 30.0, interval=8.0, slots=3)), 101)
    assert found.start[:, 0].tolist() == [10.0 * k for k in range(11)]
    assert found.finish[:3, 0].tolist() == [4.0, 14.0, 24.0]
    # the fourth board finds three inside until 34 s: exactly when it comes
    assert found.start[:6, 1].tolist() == [4.0, 14.0, 24.0, 34.0, 44.0, 54.0]
    assert found.finish[:4, 1].tolist() == [34.0, 44.0, 54.0, 64.0]
    assert np.isnan(found.finish[8:, 1]).all() and np.isnan(found.start[10, 1])      # still inside at the end, or on its way


def test_an_oven_keeps_order_and_distance_and_never_overflows():
    found = run(line(station("a", "printer", "", 5.0, cycle_std=4.0),
                     station("oven", "reflow", "a", 60.0, cycle_std=20.0, interval=6.0, slots=8, buffer=5),
                     station("slow", "aoi", "oven", 7.0, cycle_std=5.0, buffer=1), takt=6.5), 4 * HOUR)
    done = np.isfinite(found.leave[:, 1])
    start, finish, leave = found.start[done, 1], found.finish[done, 1], found.leave[done, 1]
    assert np.diff(start).min() >= 6.0 - 2e-6
    assert (np.diff(finish) >= 0).all() and (np.diff(leave) >= 0).all()
    inside = np.arange(len(start)) + 1 - np.searchsorted(np.sort(leave), start, side="right")
    assert inside.max() == 8
    assert (leave > finish).any()                                         # blocked by the slow one


def test_a_share_is_evenly_spread_and_the_others_pass_by():
    found = run(line(station("a", "printer", "", 5.0), station("axi", "axi", "a", 20.0, share=0.3),
                     station("test", "test", "axi", 5.0)))
    visited = np.isfinite(found.start[:300, 1])
    assert [visited[k:k + 10].sum() for k in range(0, 300, 10)] == [3] * 30
    assert np.array_equal(found.leave[:300, 0][~visited], found.arrive[:300, 2][~visited])    # straight on to the test
    assert np.isnan(found.arrive[:300, 1][~visited]).all()


def test_parallel_stations_share_the_units_and_merge_again():
    found = run(line(station("a", "printer", "", 4.0), station("t1", "test", "a", 18.0, buffer=0),
                     station("t2", "test", "a", 18.0, buffer=0),
                     station("out", "aoi", ("t1", "t2"), 4.0)))
    one, two = np.isfinite(found.start[:300, 1]), np.isfinite(found.start[:300, 2])
    assert (one ^ two).all() and abs(one.sum() - two.sum()) <= 1
    assert np.isfinite(found.leave[:300, 3]).all()                        # 18 s on each of two keeps a takt of 10 s


def test_a_blocked_station_waits_with_the_unit_inside():
    found = run(line(station("a", "printer", "", 4.0), station("b", "aoi", "a", 15.0, buffer=1)))
    assert found.leave[20:200, 0] == pytest.approx(found.start[19:199, 1])    # leaves when the one before is taken up
    assert np.diff(found.start[20:200, 0]) == pytest.approx(15.0)             # the loader is held back too
    shares = state_shares(found)["a"]
    assert shares[State.BLOCKED] == pytest.approx(11 / 15, abs=0.01)


def test_a_lot_ends_with_an_empty_line_and_a_changeover():
    found = run(line(station("a", "printer", "", 4.0), station("b", "aoi", "a", 20.0), takt=25.0,
                     changeover=Changeover(10, 600.0)))
    # board 9 is let in at 225 s and out at 249 s; ten minutes later comes board 10
    assert found.leave[9, 1] == 249.0 and found.arrive[10, 0] == 250.0 + 600.0
    assert [e.time for e in events(found, "changeover", "a")][:1] == [250.0]
    down = [e.time for e in events(found, "state", "b") if e.code == str(int(State.SCHEDULED_DOWN))]
    assert down[0] == 250.0


def test_outside_planned_hours_the_line_runs_empty_and_rests():
    """Eight hours a day, five days a week."""
    found = run(line(station("a", "printer", "", 10.0), station("b", "aoi", "a", 50.0, buffer=1), takt=60.0, hours_a_day=8.0,
                     days_a_week=5), 14 * DAY)
    arrive = found.arrive[:, 0]
    assert ((arrive % DAY) < 8 * HOUR).all() and (arrive // DAY % 7 < 5).all()
    assert len(arrive) == 10 * 480
    share = state_shares(found)["b"][State.NON_SCHEDULED]
    assert share == pytest.approx(1 - 10 * 8 / (14 * 24), abs=1e-3)
    shifts = [(e.code, e.time) for e in events(found, "shift")]
    assert [code for code, _ in shifts] == ["end", "start"] * 9 + ["end"]  # the second week ends resting
    assert all(time % DAY == 0 for code, time in shifts if code == "start")


def test_states_fill_the_run():
    found = run(line(station("a", "printer", "", 9.0, cycle_std=3.0, mtbf=600.0, mttr=60.0),
                     station("b", "aoi", "a", 9.0, buffer=1), station("c", "test", "b", 5.0)), 12 * HOUR)
    assert state_seconds(found).sum(axis=1) == pytest.approx([12 * HOUR] * 3)
    for k, name in enumerate(("a", "b", "c")):
        productive = state_shares(found)[name][State.PRODUCTIVE] * 12 * HOUR
        worked = np.nansum(found.finish[:, k] - found.start[:, k])
        down = sum(e.duration for e in events(found, "repair", name))
        assert productive == pytest.approx(worked - down, abs=70.0)       # stops prolong the stay, not the work


def test_random_stops_take_the_share_of_time_that_they_should():
    """Operation-dependent: repair / (work + repair) = MTTR / (MTBF + MTTR) = 1/11, whatever the line around it does."""
    found = run(line(station("a", "printer", "", 8.0, mtbf=600.0, mttr=60.0)), 10 * DAY)
    seconds = dict(zip(State, state_seconds(found)[0], strict=True))
    stops = len(events(found, "fault"))
    share = seconds[State.REPAIR] / (seconds[State.REPAIR] + seconds[State.PRODUCTIVE])
    assert stops > 900
    assert share == pytest.approx(1 / 11, rel=4 * math.sqrt((1 + 0.6**2) / stops))
    assert {e.code for e in events(found, "fault")} == {"jam", "paste"}


def test_one_person_repairs_one_machine_at_a_time_on_all_lines():
    bad = {"mtbf": 300.0, "mttr": 120.0}
    first = line(station("a", "printer", "", 8.0, **bad), station("b", "aoi", "a", 8.0, **bad))
    second = replace(first, path="Test/Area/Line 2")
    site = simulate_site((first, second), 8 * HOUR, 1, np.random.default_rng(3))
    jobs = sorted((e.time, e.time + e.duration) for found in site for e in events(found, "repair"))
    assert len(jobs) > 50
    assert all(end <= begin + 1e-6 for (_, end), (begin, _) in pairwise(jobs))
    waited = state_shares(site[0])["a"][State.UNSCHEDULED_DOWN]
    assert waited > 0.05                                                  # down and nobody there
    alone = run(first, 8 * HOUR)
    assert {e.operator for e in events(alone, "repair")} == {"operator 1", "operator 2"}


def test_supplies_run_out_and_the_wipe_counts():
    supplies = (Supply("wipe", 10, 5.0, crew=False), Supply("paste", 25, 40.0))
    found = run(line(station("printer", "printer", "", 8.0, supplies=supplies), takt=20.0), 2 * HOUR)
    printed = np.isfinite(found.start[:, 0])
    assert found.since_wipe[printed].tolist() == [k % 10 for k in range(int(printed.sum()))]
    paste = events(found, "material")
    assert [e.operator != "" for e in paste] == [True] * len(paste) and paste[0].duration == 40.0
    finish = found.finish[:, 0]
    late = np.array([e.time for e in paste]) - finish[24::25][:len(paste)]    # where a wipe is due too, it comes first
    assert late.tolist() == [0.0 if k % 2 == 0 else 5.0 for k in range(len(paste))]
    assert [e.time for e in events(found, "cleaning")][:2] == [finish[9], finish[19]]


def test_a_line_without_wipes_prints_as_a_healthy_printer_does():
    found = run(line(station("printer", "printer", "", 8.0)))
    assert set(found.since_wipe.tolist()) == {Printer().since_wipe}


def test_the_same_seed_gives_the_same_run_and_another_does_not():
    a_line = line(station("a", "printer", "", 8.0, cycle_std=2.0, mtbf=600.0, mttr=60.0),
                  station("b", "aoi", "a", 9.0, cycle_std=2.0))
    one, two, other = run(a_line), run(a_line), run(a_line, seed=2)
    assert same(one, two) and one.events == two.events
    assert not same(one, other)


def test_a_stations_draws_do_not_depend_on_its_neighbours():
    a, b = station("a", "printer", "", 6.0, cycle_std=1.0), station("b", "aoi", "a", 6.0, cycle_std=1.0)
    alone, together = run(line(a)), run(line(a, b))
    assert np.array_equal(alone.finish[:300, 0], together.finish[:300, 0])


@pytest.mark.parametrize(("lines", "duration", "crew", "word"), [(1, 0.0, 1, "duration"), (1, 1e9, 1, "duration"),
                                                                 (1, 10.0, 0, "crew"), (2, 10.0, 1, "path")])
def test_a_run_that_cannot_be_is_refused(lines, duration, crew, word):
    with pytest.raises(SceneError, match=word):
        simulate_site((line(station("a", "printer", "", 8.0)),) * lines, duration, crew, np.random.default_rng(1))


def test_a_line_of_a_site_runs_as_it_would_alone_where_people_suffice():
    first = line(station("a", "printer", "", 8.0, cycle_std=2.0, mtbf=600.0, mttr=60.0), station("b", "aoi", "a", 8.0))
    site = simulate_site((first, replace(first, path="Test/Area/Line 2")), HOUR, 9, np.random.default_rng(1))
    assert same(run(first), site[0]) and not same(site[0], site[1])


def random_line(rng):
    """Any line: up to six stations in a row, of several places, as conveyors, sampling; with stops, drifts, lots, supplies."""
    stations, before = [], ""
    for k in range(rng.integers(1, 7)):
        slots = int(rng.choice([1, 1, 1, 2, 5]))
        cycle = float(rng.uniform(3, 12)) * slots
        stations.append(station(
            f"s{k}", "aoi", before, cycle, cycle_std=float(rng.choice([0.0, cycle / 3])), slots=slots,
            buffer=int(rng.integers(0, 4)), interval=float(rng.choice([0.0, 5.0])),
            share=float(rng.choice([1.0, 1.0, 0.4])) if k else 1.0,
            mtbf=float(rng.choice([math.inf, 400.0])), mttr=40.0, supplies=(Supply("x", int(rng.integers(5, 40)), 20.0),)))
        before = f"s{k}"
    drifts = tuple(Drift(f"lamp {s.station}", "lamp_ageing", s.station, life=900.0, maintain=float(rng.choice([0.6, math.inf])),
                         repair=50.0) for s in stations if rng.random() < 0.4)
    return line(*stations, takt=float(rng.uniform(2, 15)), crew=int(rng.integers(1, 3)), drifts=drifts,
                changeover=Changeover(60, 100.0) if rng.random() < 0.3 else None)


@pytest.mark.parametrize("seed", range(40))
def test_any_line_keeps_the_rules(seed):
    """A unit is at one place at a time, no place holds more than it can, nobody works down or twice, and it never jams."""
    a_line = random_line(np.random.default_rng(seed))
    found = run(a_line, 2 * HOUR, seed)
    arrive, start, finish, leave = found.arrive, found.start, found.finish, found.leave
    for early, late in ((arrive, start), (start, finish), (finish, leave)):
        assert not (np.isfinite(late) & ~(early <= late)).any()           # also: nothing late without the early
    way = [[t for t in np.column_stack([arrive[u], leave[u]]).ravel() if np.isfinite(t)] for u in range(len(arrive))]
    assert all(times == sorted(times) for times in way)
    for k, flow in enumerate(a_line.stations):
        for enter, out, most in ((arrive[:, k], start[:, k], flow.buffer), (start[:, k], leave[:, k], flow.slots)):
            times = np.concatenate([enter[np.isfinite(enter)], out[np.isfinite(out)]])
            step = np.repeat([1, -1], [np.isfinite(enter).sum(), np.isfinite(out).sum()])
            order = np.lexsort((step, times))
            assert np.cumsum(step[order]).max(initial=0) <= most
    jobs = {(e.operator, e.time, e.time + e.duration) for e in found.events if e.operator}     # a changeover is one job
    for _, own in groupby(sorted(jobs), key=lambda job: job[0]):
        assert all(end <= begin for (_, _, end), (_, begin, _) in pairwise(own))
    assert len({who for who, _, _ in jobs}) <= a_line.crew
    assert np.isfinite(leave).any() and np.nanmax(leave) > 2 * HOUR - 900.0
