"""Fast windows of a living line: where they lie, whose clock they carry, and that a drift is seen in its own sensor only."""
import dataclasses

import numpy as np
import pytest
from scipy import signal

from generators.traces.heads import PERIOD, head_acceleration
from generators.traces.line_windows import MAKERS, windows
from generators.traces.zones import velocity_rms
from scenes.errors import InputError, SceneError
from scenes.line.model import Drift, Event, Line, Run, Sensor, StationFlow
from scenes.line.quantities import check

SEED = 11
STATIONS = (StationFlow("placement", "placement", "Site/Line/placement", (), 20.0),
            StationFlow("reflow", "reflow", "Site/Line/reflow", ("placement",), 300.0, slots=10))
SENSORS = (
    Sensor("placement/head/acceleration", "placement", "acceleration", "m/s2", window_rate=12_800.0),
    Sensor("reflow/zone2/blower_acceleration", "reflow", "blower_acceleration", "m/s2", window_rate=25_600.0),
    Sensor("reflow/zone7/blower_acceleration", "reflow", "blower_acceleration", "m/s2", window_rate=25_600.0, clock_offset=1.5),
    Sensor("reflow/zone7/blower_velocity", "reflow", "blower_velocity", "mm/s", window_rate=12_800.0),
    Sensor("reflow/zone10/temperature", "reflow", "temperature", "°C"),
    Sensor("reflow/conveyor/acceleration", "reflow", "acceleration", "g", window_rate=25_600.0, dropout=0.02),
)
DRIFTS = (Drift("blower7", "zone_blower_bearing", "reflow", "zone7"), Drift("belt", "conveyor_bearing", "reflow"),
          Drift("nozzle3", "nozzle_wear", "placement", "nozzle3"))


def run(severity=(0.0, 0.0, 0.0), events=(), sensors=SENSORS):
    """Two units; the second one was taken off before the oven."""
    start = np.array([[100.0, 130.0], [120.0, np.nan]])
    finish = np.array([[120.0, 430.0], [140.0, np.nan]])
    line = Line("Site/Line", 20.0, STATIONS, DRIFTS, sensors)
    return Run(line, 1000.0, start, start, finish, finish, events, np.array([0.0]), np.array([severity]), np.ones((1, 3)),
               np.zeros(2, np.int32))


def by_channel(traces):
    return {t.channel: t for t in traces}


def test_the_channels_of_this_file_are_those_of_the_line():
    for s in SENSORS:
        check(s, {x.station: x.kind for x in STATIONS}[s.station])


def test_a_window_lies_where_the_unit_is_and_carries_its_sensors_clock():
    """Work in the oven from 130 to 430 s; the middle of zone 7 of 10 is 65 % of the way: 325 s."""
    found = by_channel(windows(run(), 0, "reflow", SEED, seconds=2.0))
    assert list(found) == [s.channel for s in SENSORS[1:4]] + ["reflow/conveyor/acceleration"]
    assert found["reflow/zone7/blower_velocity"].start_ns == 324_000_000_000
    assert found["reflow/zone7/blower_acceleration"].start_ns == 325_500_000_000          # its clock is 1.5 s fast
    assert found["reflow/zone2/blower_acceleration"].start_ns == 174_000_000_000
    assert found["reflow/conveyor/acceleration"].start_ns == 279_000_000_000
    assert all(len(t.values) == 2 * t.sample_rate and t.values.dtype == np.float32 for t in found.values())


def test_no_window_reaches_beyond_a_moment():
    """Zone 7 is passed at 325 s, zone 2 at 175 s. What ends by then anyhow is the same to the bit."""
    slow = tuple(dataclasses.replace(s, window_rate=500.0) for s in (*SENSORS[1:3], SENSORS[5]))
    free, bound = (windows(run(sensors=slow), 0, "reflow", SEED, seconds=60.0, until=until) for until in (np.inf, 330.0))
    assert [t.start_ns // 10**9 for t in free] == [145, 296, 250]         # the clock of zone 7 is 1.5 s fast
    assert [t.start_ns // 10**9 for t in bound] == [145, 271, 250]
    assert np.array_equal(free[0].values, bound[0].values) and not np.array_equal(free[1].values, bound[1].values)
    assert windows(run(sensors=slow), 0, "reflow", SEED, seconds=60.0, until=59.0) == ()


@pytest.mark.parametrize(("rate", "seconds"), [(1e6, 60.0), (1.0, 0.1)])
def test_a_window_has_a_reading_and_not_too_many(rate, seconds):
    much = dataclasses.replace(SENSORS[1], window_rate=rate)
    with pytest.raises(InputError, match=r"^reflow/zone2/blower_acceleration: .* is not 1 to 16777216 values; change the length"):
        windows(run(sensors=(much,)), 0, "reflow", SEED, seconds=seconds)


def test_there_is_no_window_where_the_unit_was_not():
    assert windows(run(), 1, "reflow", SEED) == ()
    assert len(windows(run(), 1, "placement", SEED)) == 1


def test_units_and_losses_are_the_sensors():
    found = by_channel(windows(run(), 0, "reflow", SEED))
    belt = found["reflow/conveyor/acceleration"]
    assert belt.unit == "g" and np.isnan(belt.values).mean() == pytest.approx(0.02, abs=0.006)
    assert 0.05 < 9.80665 * np.nanstd(belt.values) < 0.5                     # m/s², domain reference 3.5
    velocity, acceleration = found["reflow/zone7/blower_velocity"], found["reflow/zone7/blower_acceleration"]
    assert velocity.unit == "mm/s"
    assert velocity.values.std() == pytest.approx(1e3 * velocity_rms(acceleration.values, 25_600.0), rel=0.1)     # one machine


def test_a_drift_is_seen_by_its_own_sensor_and_by_no_other():
    sound = {s: by_channel(windows(run(), 0, s, SEED)) for s in ("placement", "reflow")}
    for which, seen in (((0.3, 0.0, 0.0), {"reflow/zone7/blower_acceleration", "reflow/zone7/blower_velocity"}),
                        ((0.0, 0.3, 0.0), {"reflow/conveyor/acceleration"}), ((0.0, 0.0, 0.3), {"placement/head/acceleration"})):
        worn = {s: by_channel(windows(run(which), 0, s, SEED)) for s in ("placement", "reflow")}
        changed = {c for s in sound for c in sound[s]
                   if not np.array_equal(sound[s][c].values, worn[s][c].values, equal_nan=True)}
        assert changed == seen


@pytest.mark.parametrize(("drift", "station", "channel"), [(0, "reflow", "reflow/zone7/blower_acceleration"),
                                                           (1, "reflow", "reflow/conveyor/acceleration"),
                                                           (2, "placement", "placement/head/acceleration")])
def test_the_level_rises_with_wear(drift, station, channel):
    levels, kurtosis = [], []
    for severity in (0.0, 0.2, 0.5):
        condition = [0.0] * 3
        condition[drift] = severity
        x = np.concatenate([by_channel(windows(run(tuple(condition)), 0, station, seed))[channel].values for seed in range(6)])
        x = x[~np.isnan(x)]
        levels.append(x.std())
        kurtosis.append(np.mean((x / x.std()) ** 4))
    if drift < 2:
        assert levels[0] < levels[1] < levels[2]
        assert min(kurtosis[1:]) > 2 * kurtosis[0]                             # strikes
    else:
        assert levels[0] < levels[2] and kurtosis[0] < kurtosis[2]            # one nozzle of eight


def test_a_renewed_bearing_is_another_specimen_and_a_window_is_always_the_same():
    one = windows(run((0.3, 0, 0)), 0, "reflow", SEED)[1].values
    assert np.array_equal(one, windows(run((0.3, 0, 0)), 0, "reflow", SEED)[1].values)
    done = (Event(50.0, "reflow", "maintenance", "zone_blower_bearing", "blower7", duration=60.0),)
    later = (Event(300.0, "reflow", "maintenance", "zone_blower_bearing", "blower7", duration=60.0),)
    assert not np.array_equal(one, windows(run((0.3, 0, 0), done), 0, "reflow", SEED)[1].values)
    assert np.array_equal(one, windows(run((0.3, 0, 0), later), 0, "reflow", SEED)[1].values)      # not yet done
    assert not np.array_equal(one, windows(run((0.3, 0, 0)), 0, "reflow", SEED + 1)[1].values)


def test_a_window_does_not_depend_on_which_others_are_taken():
    alone = windows(run((0.3, 0.2, 0), sensors=SENSORS[2:3]), 0, "reflow", SEED)
    zone10 = dataclasses.replace(SENSORS[2], channel="reflow/zone10/blower_acceleration", window_rate=100.0)
    beside = windows(run((0.3, 0.2, 0), sensors=(zone10, *SENSORS[2:3])), 0, "reflow", SEED)
    assert len(alone) == 1 and len(beside) == 2
    assert alone[0].start_ns == beside[1].start_ns and np.array_equal(alone[0].values, beside[1].values)
    conveyor = windows(run((0.3, 0.2, 0), sensors=SENSORS[5:]), 0, "reflow", SEED)
    assert np.array_equal(conveyor[0].values, windows(run((0.3, 0.2, 0)), 0, "reflow", SEED)[3].values, equal_nan=True)


def test_what_has_no_waveform_is_refused_with_what_has():
    slow = dataclasses.replace(SENSORS[4], window_rate=1000.0)
    with pytest.raises(SceneError, match="a temperature has no fast waveform; set window_rate_hz to 0, or measure one of"):
        windows(run(sensors=(slow,)), 0, "reflow", SEED)
    with pytest.raises(SceneError, match="no station 'oven'"):
        windows(run(), 0, "oven", SEED)
    assert {"zone*/blower_acceleration", "conveyor/acceleration", "head/acceleration"} <= set(MAKERS)


def test_a_head_moves_only_while_it_works_and_knocks_with_every_part():
    rate = 12_800
    x = head_acceleration([0.0] * 8, rate, 4 * rate, np.random.default_rng(3), work=(1.0, 3.0))
    at_work, before, after = x[rate:3 * rate].std(), x[:rate].std(), x[3 * rate + rate // 4:].std()
    assert max(before, after) < 0.05 * at_work
    down = head_acceleration([0.0] * 8, rate, 4 * rate, np.random.default_rng(3), direction=1)
    knocks = np.abs(signal.sosfilt(signal.butter(4, 500, "high", fs=rate, output="sos"), down))
    assert np.abs(np.fft.rfft(knocks))[1:80].argmax() + 1 == pytest.approx(4 / PERIOD, abs=1)      # once per part
