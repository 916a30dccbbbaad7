"""Fast windows of sound, air, vacuum and current: they say what the slow history of the same channel says."""
import dataclasses

import numpy as np
import pytest

from generators.traces import acoustics
from generators.traces.line_signals import SIGNALS
from generators.traces.line_windows import MAKERS, windows
from scenes.line.model import Drift, Line, Run, Sensor, StationFlow
from scenes.line.quantities import check, true_values

SEED = 5
STATIONS = (StationFlow("placement", "placement", "Site/Line/placement", (), 20.0),
            StationFlow("reflow", "reflow", "Site/Line/reflow", ("placement",), 300.0, slots=10))
SENSORS = (
    Sensor("placement/air/ultrasound", "placement", "ultrasound", "dB", window_rate=192_000.0),
    Sensor("placement/air/pressure", "placement", "pressure", "kPa", window_rate=2000.0),
    Sensor("placement/nozzle3/vacuum", "placement", "vacuum", "Pa", window_rate=5000.0),
    Sensor("placement/nozzle4/vacuum", "placement", "vacuum", "Pa", window_rate=5000.0),
    Sensor("placement/feeder2/motor_current", "placement", "motor_current", "A", window_rate=10_000.0),
    Sensor("reflow/zone7/blower_current", "reflow", "blower_current", "A", window_rate=10_000.0),
    Sensor("reflow/conveyor/motor_current", "reflow", "motor_current", "A", window_rate=10_000.0),
    Sensor("reflow/conveyor/sound_level", "reflow", "sound_level", "dB", window_rate=48_000.0),
)
DRIFTS = (Drift("leak", "air_leak", "placement"), Drift("nozzle3", "nozzle_wear", "placement", "nozzle3"),
          Drift("feeder2", "feeder_pitch", "placement", "feeder2"), Drift("blower7", "zone_blower_bearing", "reflow", "zone7"),
          Drift("belt", "conveyor_bearing", "reflow"))
SOUND = (0.0,) * len(DRIFTS)


def run(severity=SOUND, sensors=SENSORS):
    """One unit, at the placement machine from 100 to 120 s and in the oven from 130 to 430 s."""
    start, finish = np.array([[100.0, 130.0]]), np.array([[120.0, 430.0]])
    line = Line("Site/Line", 20.0, STATIONS, DRIFTS, sensors)
    return Run(line, 1000.0, start, start, finish, finish, (), np.array([0.0]), np.array([severity]), np.ones((1, len(DRIFTS))),
               np.zeros(1, np.int32))


def only(drift, severity):
    return tuple(severity if d.id == drift else 0.0 for d in DRIFTS)


def window(channel, severity=SOUND, seconds=2.0, seed=SEED):
    sensor = next(s for s in SENSORS if s.channel == channel)
    return windows(run(severity, (sensor,)), 0, sensor.station, seed, seconds=seconds)[0]


def past(channel, severity=SOUND):
    """Mean of the true history while the unit is at the station."""
    sensor = next(s for s in SENSORS if s.channel == channel)
    times = np.arange(105.0, 116.0) if sensor.station == "placement" else np.arange(140.0, 420.0)
    made = run(severity)
    return float(true_values(made.line, made, sensor, times, np.random.default_rng(1)).mean())


def band(values, rate, low, high):
    frequency, spectrum = np.fft.rfftfreq(len(values), 1 / rate), np.fft.rfft(values.astype(np.float64))
    spectrum[(frequency < low) | (frequency > high)] = 0
    return acoustics.pressure_level(np.fft.irfft(spectrum, len(values)))


def test_channels_are_those_of_the_line_and_makers_know_them():
    for s in SENSORS:
        check(s, {x.station: x.kind for x in STATIONS}[s.station])
    assert set(SIGNALS) <= set(MAKERS)
    found = [*windows(run(), 0, "placement", SEED), *windows(run(), 0, "reflow", SEED)]
    assert [t.channel for t in found] == [s.channel for s in SENSORS]
    assert {t.channel: t.unit for t in found}["reflow/conveyor/sound_level"] == "Pa"       # a waveform is no level
    assert all(np.isfinite(t.values).all() for t in found)


@pytest.mark.parametrize(("channel", "drift"), [("reflow/zone7/blower_current", "blower7"),
                                                ("reflow/conveyor/motor_current", "belt")])
@pytest.mark.parametrize("severity", [0.0, 0.4, 1.0])
def test_rms_of_a_current_is_its_history(channel, drift, severity):
    found = window(channel, only(drift, severity)).values
    assert np.sqrt(np.mean(np.square(found, dtype=np.float64))) == pytest.approx(past(channel, only(drift, severity)), rel=0.05)


def test_a_failed_bearing_grabs_the_motor():
    """Side lines at mains ± the spall's frequency, whichever ring it is on: the spectrum beside the mains rises."""
    good, bad = (window("reflow/zone7/blower_current", only("blower7", s), 10.0).values.astype(np.float64) for s in (0.0, 0.8))

    def beside(x):
        spectrum, f = np.abs(np.fft.rfft(x * np.hanning(len(x)))), np.fft.rfftfreq(len(x), 1e-4)
        return spectrum[(f > 60) & (f < 240)].max() / spectrum.max()

    assert beside(bad) > 10 * beside(good)


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("drift", ["nozzle3", "leak"])
def test_a_held_part_is_held_at_the_vacuum_of_the_history(drift, severity):
    found = window("placement/nozzle3/vacuum", only(drift, severity)).values
    held = np.median(found[found < np.percentile(found, 40)])
    assert held == pytest.approx(past("placement/nozzle3/vacuum", only(drift, severity)), rel=0.03)
    assert found.max() > -1000                                            # it lets go, and blows


def test_wear_of_one_nozzle_is_not_seen_at_another():
    sound, worn = (window("placement/nozzle4/vacuum", only("nozzle3", s)).values for s in (0.0, 1.0))
    assert np.array_equal(sound, worn)


@pytest.mark.parametrize("severity", [0.0, 0.5, 1.0])
def test_pressure_has_the_mean_of_its_history_and_dips(severity):
    found = window("placement/air/pressure", only("leak", severity)).values
    assert found.mean() == pytest.approx(past("placement/air/pressure", only("leak", severity)), rel=0.01)
    assert np.ptp(found) > 0.2                                            # kPa: one blow-off after the other


@pytest.mark.parametrize("severity", [0.0, 0.2, 0.5, 1.0])
def test_a_leak_is_heard_around_forty_kilohertz_as_in_the_history(severity):
    found = window("placement/air/ultrasound", only("leak", severity), 0.5).values
    assert band(found, 192_000.0, 38e3, 42e3) == pytest.approx(past("placement/air/ultrasound", only("leak", severity)), abs=2.5)


def test_a_feeder_draws_more_the_worse_its_pitch():
    def peak(severity):                                                   # of one advance, mean over parts and windows
        worn = only("feeder2", severity)
        found = [window("placement/feeder2/motor_current", worn, 1.3, seed).values.max() for seed in range(40)]
        return np.mean([x for x in found if x > 0.38])                    # some windows hold no whole advance

    peaks = [peak(s) for s in (0.0, 0.5, 1.0)]
    assert peaks[0] == pytest.approx(0.40, abs=0.02)
    assert peaks[0] < peaks[1] < peaks[2]
    assert peaks[2] == pytest.approx(past("placement/feeder2/motor_current", only("feeder2", 1.0)), rel=0.15)


def test_the_conveyor_is_heard_over_the_hall_when_its_bearing_fails():
    quiet, loud = (window("reflow/conveyor/sound_level", only("belt", s)).values for s in (0.0, 1.0))
    assert acoustics.pressure_level(quiet) == pytest.approx(past("reflow/conveyor/sound_level"), abs=1.0)
    assert acoustics.pressure_level(loud) > acoustics.pressure_level(quiet) + 2
    assert np.mean(loud ** 4.0) / np.mean(loud ** 2.0) ** 2 > 5           # impacts


def test_nothing_moves_while_no_unit_is_worked_on():
    """A visit of 0.2 s in the middle of a window of 4 s."""
    made = run()
    start, finish = np.array([[100.0, 130.0]]), np.array([[100.2, 430.0]])
    short = dataclasses.replace(made, start=start, finish=finish)
    found = {t.channel: t.values for t in windows(short, 0, "placement", SEED, seconds=4.0)}
    vacuum, current = found["placement/nozzle3/vacuum"], found["placement/feeder2/motor_current"]
    assert np.abs(vacuum[:9000]).max() < 200                              # before the unit comes: noise
    assert np.abs(current[:18_000]).max() < 0.02
    assert np.abs(vacuum[16_500:]).max() < 200                            # a cycle after it has gone


def test_windows_are_reproducible():
    for s in SENSORS:
        first, second = (window(s.channel, (0.3,) * len(DRIFTS), 0.5).values for _ in range(2))
        assert np.array_equal(first, second)
