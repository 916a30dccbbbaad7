"""Vibration of machines against closed forms: one resonance, unbalance, orders, gears, standards."""
import dataclasses
import math

import numpy as np
import pytest
from scipy import signal

from generators.traces.gears import Gear
from generators.traces.machines import BLOWER, CONVEYOR, RIG
from generators.traces.rotor import eccentricity, unbalance
from generators.traces.structure import AXIAL, HORIZONTAL, VERTICAL, Mode, answer, receptance, strike
from generators.traces.vibration import FAULTS, Knock, Machine, fitted, motion, vibration
from generators.traces.zones import ISO_10816_1, ISO_20816_3, velocity_rms, zone
from scenes.errors import InputError

RATE = 25_600
STIFF = Mode(200.0, 0.05, 10.0, (1.0, 1.0, 0.0))                             # one resonance, far above the speeds below
FAN = Machine("fan", 50.0, 4.0, (STIFF,), grade=2.5e-3, roughness=0.0, ripple=0.0)


def rng(seed=5):
    return np.random.default_rng(seed)


def amplitude(x, frequency, rate=RATE):
    """Of a tone that fits the record: least squares on sine and cosine."""
    time = np.arange(len(x)) / rate
    basis = np.column_stack([np.cos(2 * np.pi * frequency * time), np.sin(2 * np.pi * frequency * time)])
    return float(np.hypot(*np.linalg.lstsq(basis, np.asarray(x, np.float64), rcond=None)[0]))


def spectrum(x, rate=RATE):
    """Amplitudes of a record of whole seconds, 1 Hz or finer, under a flat window."""
    return np.fft.rfftfreq(len(x), 1 / rate), 2 * np.abs(np.fft.rfft(x)) / len(x)


# --- structure ----------------------------------------------------------------------------------------------------------

def test_receptance_is_that_of_one_degree_of_freedom():
    stiffness = 10.0 * (2 * math.pi * 200) ** 2
    found = receptance((STIFF,), np.array([0.0, 200.0]))[:, 0, 0]
    assert found[0] == pytest.approx(1 / stiffness)
    assert found[1] == pytest.approx(1 / (2j * 0.05 * stiffness))


@pytest.mark.parametrize("between", [0.0, 0.37, 0.5, 0.81])
def test_a_strike_rings_with_the_resonance_wherever_it_falls_between_readings(between):
    """J ω/m e^(−ζωt) sin(ω_d t + phase): amplitude, frequency and decay by a fit to the ring after the push."""
    mode, omega = Mode(3000.0, 0.03, 0.5, (1.0, 0.0, 0.0)), 2 * math.pi * 3000
    drive = np.zeros(2048, np.float32)
    strike(drive, np.array([(100 + between) / RATE]), np.array([1e-3]), RATE)
    ringing = answer((mode,), (1.0, 0.0, 0.0), drive, RATE, (HORIZONTAL,), contact=1e-9)[0][110:300].astype(np.float64)
    time = (np.arange(110, 300) - 100 - between) / RATE
    damped = omega * math.sqrt(1 - 0.03 ** 2)
    basis = np.exp(-0.03 * omega * time)[:, None] * np.column_stack([np.sin(damped * time), np.cos(damped * time)])
    (sine, cosine), *_ = np.linalg.lstsq(basis, ringing, rcond=None)
    size = 1e-3 * omega / 0.5
    assert sine == pytest.approx(-size, rel=0.01)
    assert cosine == pytest.approx(-2 * 0.03 * size, rel=0.15)               # of δ(t)/m − …: small, by the exact solution
    assert np.abs(basis @ [sine, cosine] - ringing).max() < 0.02 * size


# --- unbalance ----------------------------------------------------------------------------------------------------------

def test_eccentricity_is_that_of_the_balance_grade():
    assert eccentricity(2.5e-3, 50.0) == pytest.approx(7.96e-6, rel=1e-3)    # ISO 21940 at 3000 rpm
    assert eccentricity(6.3e-3, 50.0) == pytest.approx(20.1e-6, rel=3e-3)


@pytest.mark.parametrize("speed", [10.0, 25.0, 50.0, 120.0, 190.0, 300.0])
def test_unbalance_answers_with_m_e_omega_squared_times_h(speed):
    """Check U1: F = m e ω² through k (1 − r² + 2jζr)⁻¹, as displacement; the record is acceleration."""
    omega, r = 2 * math.pi * speed, speed / 200.0
    force = 4.0 * 7.96e-6 * omega ** 2
    displacement = force / (10.0 * (2 * math.pi * 200) ** 2) / math.hypot(1 - r ** 2, 2 * 0.05 * r)
    x = motion(FAN, {}, RATE, 2 * RATE, rng(), speed=speed, directions=(HORIZONTAL, VERTICAL))
    # the mode's shape couples the two radial directions: a turning force (1, −j) moves it by √2
    assert amplitude(x[0], speed) / omega ** 2 == pytest.approx(math.sqrt(2) * displacement, rel=0.01)
    np.testing.assert_allclose(x[1], x[0], atol=1e-5)


def test_unbalance_grows_with_speed_squared_below_the_resonance():
    moved = [amplitude(vibration(FAN, {}, RATE, 4 * RATE, rng(), speed=f), f) / (2 * math.pi * f) ** 2 for f in (5.0, 10.0)]
    assert moved[1] / moved[0] == pytest.approx(4.0, rel=0.01)
    assert abs(unbalance(4.0, 1e-5, 20.0)[1.0][0] / unbalance(4.0, 1e-5, 10.0)[1.0][0]) == pytest.approx(4.0)


def test_unbalance_is_horizontal_a_quarter_of_a_turn_from_vertical():
    round_ = dataclasses.replace(FAN, modes=(Mode(200.0, 0.05, 10.0, (1, 0, 0)), Mode(200.0, 0.05, 10.0, (0, 1, 0))))
    x = motion(round_, {"unbalance": 0.5}, RATE, RATE, rng(), directions=(0, 1, 2))
    quarter = RATE // 50 // 4
    np.testing.assert_allclose(x[1][quarter:], x[0][:-quarter], atol=2e-3 * x[0].max())
    assert np.abs(x[AXIAL]).max() == 0


# --- the other faults ---------------------------------------------------------------------------------------------------

def test_misalignment_adds_twice_the_speed_and_axial_motion():
    """2× is half of 1× and more in velocity (reference 5.4), and there is axial motion; both are absent without it."""
    for machine in (RIG, BLOWER, CONVEYOR):
        still = dataclasses.replace(machine, roughness=0.0, ripple=0.0, gear=None, knocks=())
        once, ratios = still.speed, []
        sound = motion(still, {}, RATE, 4 * RATE, rng())
        assert amplitude(sound[0], 2 * once) < 1e-2 * amplitude(sound[0], once)
        for severity in (0.4, 1.0):
            x = motion(still, {"misalignment": severity}, RATE, 4 * RATE, rng())
            ratios.append(amplitude(x[0], 2 * once) / 2 / amplitude(x[0], once))
            assert x[AXIAL].std() > 3 * sound[AXIAL].std()
        assert 0.5 <= ratios[0] < ratios[1] < 2.5, machine.name


def test_looseness_has_half_orders_ten_harmonics_and_a_raised_floor():
    loose = dataclasses.replace(BLOWER, speed=50.0, ripple=0.0)
    frequency, lines = spectrum(vibration(loose, {"looseness": 0.5}, RATE, 8 * RATE, rng(), direction=VERTICAL))
    _, sound = spectrum(vibration(loose, {}, RATE, 8 * RATE, rng(), direction=VERTICAL))
    for order in (0.5, *range(1, 11)):
        at = round(order * 50.0 * 8)
        around = np.median(lines[at - 60:at + 60])
        assert lines[at] > 20 * around, order
        assert order == 1 or sound[at] < 6 * np.median(sound[at - 60:at + 60])
    high = (frequency > 2000) & (frequency < 5000)
    assert np.median(lines[high]) / np.median(sound[high]) == pytest.approx(2.5, rel=0.05)


def test_gears_show_the_mesh_and_one_turn_to_either_side():
    geared = Machine("gearbox", 20.0, 2.0, (Mode(4000.0, 0.05, 5.0, (1, 1, 1)),), gear=Gear(31, 10.0), roughness=0.0, ripple=0.0)
    sound = vibration(geared, {}, RATE, RATE, rng())
    worn = vibration(geared, {"gear_wear": 1.0}, RATE, RATE, rng())
    for harmonic in (1, 2, 3):
        mesh = harmonic * 31 * 20.0
        assert amplitude(worn, mesh) == pytest.approx(4 * amplitude(sound, mesh), rel=0.01)
        for side in (-20.0, 20.0):
            assert amplitude(sound, mesh + side) / amplitude(sound, mesh) == pytest.approx(0.04, rel=0.3)
            assert amplitude(worn, mesh + side) / amplitude(worn, mesh) == pytest.approx(0.24, rel=0.3)
    assert amplitude(sound, 31 * 20.0 + 10.0) < 1e-3 * amplitude(sound, 31 * 20.0)


def test_a_broken_tooth_knocks_once_a_turn():
    x = vibration(CONVEYOR, {"gear_tooth": 0.5}, RATE, 4 * RATE, rng())
    envelope = np.abs(signal.hilbert(signal.sosfiltfilt(signal.butter(4, (2000, 4500), "bandpass", fs=RATE, output="sos"), x)))
    peaks, _ = signal.find_peaks(envelope, height=0.4 * envelope.max(), distance=RATE // 100)
    assert np.diff(peaks) / RATE * CONVEYOR.speed == pytest.approx(1.0, abs=0.05)
    assert len(peaks) == pytest.approx(4 * CONVEYOR.speed, abs=2)


def test_rollers_knock_at_v_over_pi_d():
    """A belt at 0.2 m/s on rollers of 40 mm: 1.59 Hz."""
    rate, roller = 6400, 0.2 / (math.pi * 0.040)
    belt = Machine("belt", 25.0, 1.0, (Mode(600.0, 0.05, 5.0),), roughness=0.0, knocks=(Knock(roller / 25.0, 1e-3, 0.0),))
    x = vibration(belt, {}, rate, 20 * rate, rng())
    envelope = np.abs(signal.hilbert(signal.sosfilt(signal.butter(2, 300, "high", fs=rate, output="sos"), x)))
    frequency, lines = spectrum(envelope - envelope.mean(), rate)
    low = (frequency > 0.5) & (frequency < 2.5)
    assert frequency[low][lines[low].argmax()] == pytest.approx(1.5915, abs=0.05)


def test_a_sound_conveyor_shakes_as_conveyors_do():
    """0.05 to 0.5 m/s² RMS (domain reference 3.5)."""
    for seed in range(3):
        levels = motion(CONVEYOR, {}, RATE, 2 * RATE, rng(seed)).std(axis=1)
        assert 0.05 < levels.max() < 0.5


def test_seeded_faults_come_near_the_levels_of_real_records():
    """CWRU drive end (domain reference 5.2): sound 0.073 g and kurtosis 2.8; 0.007 inch outer 0.67, inner 0.29, ball 0.14 g."""
    for part, level in (("", 0.073), ("outer", 0.669), ("inner", 0.291), ("ball", 0.139)):
        x = vibration(RIG, {part: 0.007 * 25.4e-3 / 2.5e-3} if part else {}, 12_000, 48_000, rng(), direction=VERTICAL)
        assert level / 2 < x.std() / 9.80665 < 2 * level, part
        kurtosis = float(np.mean((x / x.std()) ** 4))
        assert kurtosis < 3.2 if not part else kurtosis > 4, part


# --- as a whole ---------------------------------------------------------------------------------------------------------

def test_a_fault_that_is_added_leaves_everything_else_as_it_was():
    """What unbalance adds is one tone: noise and knocks are the same draws."""
    sound, heavy = (vibration(CONVEYOR, f, RATE, 2 * RATE, rng()) for f in ({}, {"unbalance": 1.0}))
    added = (heavy - sound).astype(np.float64)
    assert amplitude(added, CONVEYOR.speed) > 0.95 * math.sqrt(2) * added.std()
    assert added.std() < sound.std()


def test_lines_follow_the_speed_and_the_phase():
    slow = vibration(FAN, {}, RATE, RATE, rng(), speed=25.0)
    frequency, lines = spectrum(slow)
    assert frequency[lines.argmax()] == 25.0
    later = vibration(FAN, {}, RATE, RATE, rng(), speed=25.0, start_phase=math.pi)
    np.testing.assert_allclose(later, -slow, atol=1e-3 * np.abs(slow).max())


def test_ripple_is_the_spread_of_the_speed():
    swinging = dataclasses.replace(FAN, ripple=0.01)
    phase = np.unwrap(np.angle(signal.hilbert(vibration(swinging, {}, RATE, 40 * RATE, rng(3)))))
    speed = np.diff(phase)[RATE:-RATE] * RATE / (2 * np.pi)
    smooth = np.convolve(speed, np.ones(512) / 512, "valid")
    assert smooth.mean() == pytest.approx(50.0, rel=2e-3) and smooth.std() / 50.0 == pytest.approx(0.01, rel=0.35)


def test_the_same_generator_gives_the_same_bytes():
    faults = {"inner": 0.2, "looseness": 0.1, "belt": 0.5, "gear_wear": 0.3}
    assert motion(CONVEYOR, faults, RATE, 5000, rng()).tobytes() == motion(CONVEYOR, faults, RATE, 5000, rng()).tobytes()


def test_specimens_differ_in_angle_slip_and_rest_unbalance():
    drawn = [fitted(BLOWER, rng(k)) for k in range(300)]
    angles, slips = np.degrees([m.angle for m in drawn]), np.array([m.slip for m in drawn])
    assert 0 <= angles.min() and angles.max() <= 12 and angles.mean() == pytest.approx(6, abs=0.7)
    assert 0.005 <= slips.min() and slips.max() <= 0.02
    assert max(m.grade for m in drawn) <= BLOWER.grade


@pytest.mark.parametrize(("machine", "faults", "says"), [
    (RIG, {"outre": 0.1}, "unknown; known: outer"), (RIG, {"outer": 1.5}, "outside 0 … 1"),
    (RIG, {"outer": float("nan")}, "outside"),
    (RIG, {"gear_tooth": 0.1}, "has none"), (FAN, {"outer": 0.1}, "has none"), (FAN, {"misalignment": 0.1}, "has none"),
    (RIG, {"belt": 0.1}, "has none")])
def test_a_fault_that_cannot_be_is_refused(machine, faults, says):
    with pytest.raises(InputError, match=says):
        vibration(machine, faults, RATE, 100, rng())


def test_every_fault_raises_the_level():
    for machine in (RIG, CONVEYOR):
        sound = motion(machine, {}, RATE, 2 * RATE, rng()).std()
        for name in FAULTS:
            if (name == "belt" and not machine.knocks) or (name.startswith("gear") and machine.gear is None):
                continue
            assert motion(machine, {name: 1.0}, RATE, 2 * RATE, rng()).std() > sound, name


# --- standards ----------------------------------------------------------------------------------------------------------

def test_velocity_rms_of_a_tone_is_a_over_omega():
    time = np.arange(RATE * 2) / RATE
    tone = 5.0 * np.sin(2 * np.pi * 47.3 * time) + 3.0 * np.sin(2 * np.pi * 3000 * time) + 9.0  # beyond it, an offset
    assert velocity_rms(tone, RATE) == pytest.approx(5.0 / (2 * math.pi * 47.3) / math.sqrt(2), rel=1e-3)
    with pytest.raises(InputError, match="too short"):
        velocity_rms(tone[:1000], RATE)


def test_zones_are_those_of_the_standard():
    assert ISO_10816_1["II"] == (1.12e-3, 2.8e-3, 7.1e-3) and ISO_20816_3["2 rigid"] == (1.4e-3, 2.8e-3, 4.5e-3)
    assert [zone(v * 1e-3) for v in (0.5, 0.7, 1.0, 1.79, 4.0, 4.49, 4.6)] == ["A", "A", "B", "B", "C", "C", "D"]
    assert zone(3e-3, ISO_20816_3["1 flexible"]) == "A"


def test_a_blower_goes_from_zone_a_to_d_as_its_rotor_fouls():
    found = [zone(velocity_rms(vibration(BLOWER, {"unbalance": s}, RATE, 2 * RATE, rng()), RATE)) for s in (0.0, 0.1, 0.4, 1.0)]
    assert found == ["A", "B", "C", "D"]
