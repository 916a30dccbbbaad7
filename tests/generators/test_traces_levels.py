"""Levels: expected mean squares against records of what is drawn, windows against their history, one event in several sensors."""
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from generators.traces import acoustics, bearings, vibration
from generators.traces.acoustics import integrated
from generators.traces.levels import levelled, mean_squares
from generators.traces.line_windows import windows
from generators.traces.machine_state import State, draw_specimen
from generators.traces.machines import BLOWER, CONVEYOR, RIG
from generators.traces.operating import operating, severities
from generators.traces.rooms import Room, impulse_response
from generators.traces.structure import Mode
from generators.traces.vibration import Machine, moved, running
from scenes.line.model import Drift, Line, Run, Sensor, StationFlow
from scenes.line.quantities import true_values
from scenes.machines.machine import Machine as Scene
from scenes.machines.model import Fault

RATE = 25_600.0
EXAMPLES = Path(__file__).parents[2] / "examples" / "machines"


def rms(x):
    return math.sqrt(np.mean(np.square(x, dtype=np.float64)))


def passed(x, rate):
    """What an ideal anti-alias filter leaves below 0.390625 of the rate."""
    spectrum = np.fft.rfft(np.asarray(x, np.float64))
    spectrum[np.fft.rfftfreq(len(x), 1 / rate) > 0.390625 * rate] = 0
    return np.fft.irfft(spectrum, len(x))


# ------------------------------------------------------------------------------------------------ expectation

def test_locked_mean_square_is_that_of_unbalance():
    """One mode of 10 kg at 200 Hz and ζ = 0.05 under m·e·ω² = 4 kg · 7.96 µm · ω² at 50 Hz, both radial directions."""
    fan = Machine("fan", 50.0, 4.0, (Mode(200.0, 0.05, 10.0, (1.0, 1.0, 0.0)),), grade=2.5e-3, roughness=0.0, ripple=0.0)
    omega, r = 2 * math.pi * 50, 0.25
    size = math.sqrt(2) * 4.0 * 2.5e-3 * omega / 10.0 * r ** 2 / math.hypot(1 - r ** 2, 2 * 0.05 * r)
    locked, driven = mean_squares(running(fan, {}, np.random.default_rng(0)), RATE, 0)
    assert locked == pytest.approx(size ** 2 / 2, rel=1e-3) and driven == 0


def test_noise_mean_square_of_one_mode_is_its_closed_form():
    """White force of one-sided density G [N²/Hz] on m·ẍ + c·ẋ + k·x: ⟨v²⟩ = G / (8·ζ·m²·ω_n)."""
    mode = Mode(500.0, 0.02, 3.0, (1.0, 0.0, 0.0))
    machine = Machine("block", 50.0, 0.0, (mode,), roughness=2e-2, ripple=0.0)
    _, driven = mean_squares(running(machine, {}, np.random.default_rng(0)), RATE, 0, integrated)
    force = 2e-2 * 0.5                                                    # along the mode, as vibration.LOADED has it
    assert vibration.LOADED[0] == 0.5
    expected = force ** 2 / (8 * 0.02 * 3.0 ** 2 * 2 * math.pi * 500.0)
    assert driven == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("part", bearings.PARTS)
def test_strikes_have_their_number_and_mean_square(part):
    bearing, hits = RIG.bearing, []
    for seed in range(40):
        hits.append(bearings.impacts(bearing, part, 0.5, (0.0, 300.0), 30.0, np.random.default_rng(seed), angle=0.1))
    often, square = bearings.strength(bearing, part, 0.5, 30.0, angle=0.1)
    assert np.mean([len(h.impulse) for h in hits]) / 10.0 == pytest.approx(often, rel=0.01)
    assert np.mean(np.concatenate([h.impulse for h in hits]) ** 2) == pytest.approx(square, rel=0.06)


@pytest.mark.parametrize("through", [None, integrated])
@pytest.mark.parametrize(("machine", "faults"), [
    (BLOWER, {}), (BLOWER, {"outer": 0.5, "looseness": 0.4}), (CONVEYOR, {"inner": 0.5}), (CONVEYOR, {"ball": 0.3, "belt": 0.2})])
def test_expected_rms_is_that_of_long_records(machine, faults, through):
    found = []
    for seed in range(4):
        run = running(machine, faults, np.random.default_rng(seed))
        x = passed(moved(run, RATE, 8 * int(RATE), (0,), through)[0], RATE)
        found.append(rms(x) / math.sqrt(sum(mean_squares(run, RATE, 0, through))))
    assert np.mean(found) == pytest.approx(1.0, abs=0.05)                 # a ball strikes when its axis lets it


def test_levelled_meets_one_level_or_two():
    run = running(BLOWER, {"outer": 0.5, "looseness": 0.5}, np.random.default_rng(1))
    both = levelled(run, RATE, 0, {None: 2.6, integrated: 2.4e-3})
    assert [math.sqrt(sum(mean_squares(both, RATE, 0, t))) for t in (None, integrated)] == pytest.approx([2.6, 2.4e-3])
    one = levelled(run, RATE, 0, {None: 2.6})
    assert one.turned == pytest.approx(one.driven) and math.sqrt(sum(mean_squares(one, RATE, 0))) == pytest.approx(2.6)
    never = levelled(run, RATE, 0, {None: 2.6, integrated: 1.0})          # as fast, and as soft: no such machine
    assert math.sqrt(sum(mean_squares(never, RATE, 0))) == pytest.approx(2.6)


# ------------------------------------------------------------------------------------------------ windows of a line

STATIONS = (StationFlow("reflow", "reflow", "Site/Line/reflow", (), 300.0, slots=10),)
DRIFTS = (Drift("blower7", "zone_blower_bearing", "reflow", "zone7"), Drift("belt", "conveyor_bearing", "reflow"))
SENSORS = (Sensor("reflow/zone7/blower_acceleration", "reflow", "blower_acceleration", "m/s2", window_rate=25_600.0),
           Sensor("reflow/zone7/blower_velocity", "reflow", "blower_velocity", "mm/s", window_rate=12_800.0),
           Sensor("reflow/conveyor/acceleration", "reflow", "acceleration", "g", window_rate=12_800.0),
           Sensor("reflow/conveyor/sound_level", "reflow", "sound_level", "dB", window_rate=48_000.0))


def line(severity):
    """One unit, in the oven from 130 to 430 s, with both drifts at a severity."""
    start, finish = np.array([[130.0]]), np.array([[430.0]])
    return Run(Line("Site/Line", 20.0, STATIONS, DRIFTS, SENSORS), 1000.0, start, start, finish, finish, (), np.array([0.0]),
               np.full((1, 2), severity), np.ones((1, 2)), np.zeros(1, np.int32))


@pytest.mark.parametrize("severity", [0.0, 0.25, 0.5, 1.0])
def test_a_window_is_as_strong_as_its_history(severity):
    """RMS over twelve windows of a second, on twelve specimens, against the mean of the history: 10 %, and 1 dB of sound."""
    run = line(severity)
    made = [windows(run, 0, "reflow", seed) for seed in range(12)]
    for i, sensor in enumerate(SENSORS):
        past = true_values(run.line, run, sensor, np.arange(140.0, 420.0), np.random.default_rng(1))
        power = [np.mean(np.square(m[i].values, dtype=np.float64)) for m in made]
        if sensor.unit == "dB":
            assert 10 * math.log10(np.mean(power) / 4e-10) == pytest.approx(past.mean(), abs=1.0)
            each = 10 * np.log10(np.array(power) / 4e-10) - past.mean()
            assert np.abs(each).max() < 2.0
        else:
            assert math.sqrt(np.mean(power)) == pytest.approx(past.mean(), rel=0.1), sensor.channel
            assert np.abs(np.sqrt(power) / past.mean() - 1).max() < 0.35   # strikes are random: a second holds a hundred


def test_sensors_of_one_machine_meet_the_same_turns():
    """A velocity window is the acceleration window of the same zone, integrated, at whatever rate it is read."""
    acceleration, velocity = (windows(line(0.5), 0, "reflow", 3)[i].values.astype(np.float64) for i in (0, 1))
    own = signal.resample_poly(acoustics.velocity(acceleration, 25_600.0), 1, 2)
    slow = signal.butter(4, (5, 500), "bandpass", fs=12_800.0, output="sos")
    own, velocity = (signal.sosfiltfilt(slow, x)[2000:-2000] for x in (own, velocity))
    assert np.corrcoef(own, velocity)[0, 1] > 0.99
    others = [windows(line(0.5), 0, "reflow", seed)[1].values.astype(np.float64) for seed in range(4, 10)]
    alike = [abs(np.corrcoef(own, signal.sosfiltfilt(slow, x)[2000:-2000])[0, 1]) for x in others]
    assert np.median(alike) < 0.9                                         # any phase


def test_sensors_of_one_machine_meet_the_same_strikes():
    """The envelopes of belt and microphone rise together, and not with those of another moment."""
    def envelope(trace):
        x = signal.resample_poly(trace.values.astype(np.float64), 12_800, int(trace.sample_rate))
        high = signal.sosfiltfilt(signal.butter(4, (2000, 4000), "bandpass", fs=12_800.0, output="sos"), x)
        return signal.sosfiltfilt(signal.butter(2, 300, fs=12_800.0, output="sos"), np.abs(high))[640:-640]

    belt, sound = (envelope(windows(line(1.0), 0, "reflow", 3)[i]) for i in (2, 3))
    late = round(12_800 / 343.2)                                          # the microphone is a metre away
    assert np.corrcoef(belt[:-late], sound[late:])[0, 1] > 0.8
    other = envelope(windows(line(1.0), 0, "reflow", 5)[3])
    assert abs(np.corrcoef(belt[:-late], other[late:])[0, 1]) < 0.4


def test_strikes_are_the_same_at_every_rate():
    run = running(BLOWER, {"inner": 0.5}, np.random.default_rng(2))
    times, impulses = vibration.strikes(run, 1.0)
    assert times.min() < 0.0 and times.max() > 0.98 and len(times) == len(impulses)
    fast, slow = (moved(run, rate, int(rate), (0,))[0].astype(np.float64) for rate in (51_200.0, 25_600.0))
    low = signal.butter(6, (1500, 5000), "bandpass", fs=25_600.0, output="sos")
    a, b = (signal.sosfiltfilt(low, x) for x in (signal.resample_poly(fast, 1, 2), slow))
    assert np.corrcoef(a, b)[0, 1] > 0.7                                  # their noise is drawn reading by reading


# ------------------------------------------------------------------------------------------------ sound of a machine

@pytest.mark.parametrize("name", ["pump", "motor", "compressor"])
def test_what_is_heard_is_what_shakes_through_the_room(name):
    """One spectrum for all housings against each housing's motion, radiated and convolved with the room by itself."""
    pytest.importorskip("pyroomacoustics")
    machine = Scene.read(EXAMPLES / f"{name}.yaml")
    quiet = replace(machine, surroundings=replace(machine.surroundings, noise=-60.0), sensors=tuple(
        replace(s, direction="horizontal") for s in machine.sensors if s.quantity == "vibration"))
    ear = next(s.position for s in machine.sensors if s.quantity == "sound")
    faults = (Fault("bearing_outer", 0.6, machine.bearings[0].id),)
    wrong, where = severities(faults), machine.surroundings
    draw = draw_specimen(quiet, np.random.default_rng(4))
    state = State(quiet, wrong, operating(quiet, wrong, 2.0, draw.share), draw, 2.0)
    shaken = sum(state.acceleration(b.id, RATE, 0).astype(np.float64) for b in quiet.bearings)
    source = acoustics.source_pressure(shaken, RATE, acoustics.Radiator(where.area / len(quiet.bearings)))
    response = impulse_response(Room(where.size, where.absorption), where.machine, ear, RATE)
    alone = acoustics.steady(source, response)
    heard = state.heard(ear, RATE)
    high = signal.butter(6, 1000, "high", fs=RATE, output="sos")         # the tones of the hall lie below
    a, b = (signal.sosfiltfilt(high, x)[2560:] for x in (alone, heard))
    assert np.corrcoef(a, b)[0, 1] > 0.99
    assert rms(b) == pytest.approx(rms(a), rel=0.02)
