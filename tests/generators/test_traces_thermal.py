"""Heat and current: exact steps against analytic first-order loops and scipy's solver; motors, heaters and feeders."""
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from generators.traces import electric, thermal
from generators.traces.electric import Feeder, Heater, InductionMotor
from generators.traces.thermal import BearingHeat, Controller, MotorHeat, Zone
from generators.traces.tones import tones

# a zone that is one body: the heater weighs nothing and gives all it has to the air, the thermocouple has no lag
ONE = Zone(power=4500.0, heater_heat=1e-3, exchange=1e5, air_heat=6000.0, loss=10.0, room=25.0, thermocouple=0.0)


def test_lag_of_a_step():
    found = thermal.lag(np.concatenate([[0.0], np.ones(2000)]), 100.0, 2.0)
    times = np.arange(2001) / 100.0
    assert found[1:] == pytest.approx(1 - np.exp(-(times[1:] - 0.01) / 2.0), abs=1e-12)
    assert thermal.lag([3.0, 4.0], 1.0, 0.0).tolist() == [3.0, 4.0]
    assert thermal.lag([5.0, 5.0, 5.0], 1.0, 7.0).tolist() == [5.0, 5.0, 5.0]          # settled on the first value


def test_pi_loop_with_cancelled_pole_is_of_first_order():
    """Reset time = C / L cancels the plant's pole: T = r + (T0 − r)·exp(−t / τ), τ = C / (gain·P)."""
    gain = 0.002
    zone = replace(ONE, controller=Controller(gain, 6000.0 / 10.0, 0.0, 0.05))
    run = thermal.run_zone(zone, 100.0, 2000.0, start=25.0)
    tau = 6000.0 / (gain * 4500.0)
    assert run.duty.max() < 1 and run.duty.min() > 0                      # never at a limit
    assert run.air == pytest.approx(100 - 75 * np.exp(-run.time / tau), abs=0.05)


def test_proportional_loop():
    """T∞ = (L·room + K·P·r) / (L + K·P), τ = C / (L + K·P)."""
    gain = 0.005
    zone = replace(ONE, controller=Controller(gain, math.inf, 0.0, 0.05))
    run = thermal.run_zone(zone, 100.0, 1500.0, start=25.0)
    total = 10.0 + gain * 4500.0
    rest = (10.0 * 25 + gain * 4500.0 * 100) / total
    assert run.air == pytest.approx(rest + (25 - rest) * np.exp(-run.time * total / 6000.0), abs=0.1)


def test_open_loop_zone_against_a_solver():
    """Full duty with a heater, air and thermocouple of their own."""
    zone = Zone(controller=Controller(1e9, math.inf))
    run = thermal.run_zone(zone, 1e6, 300.0, start=25.0)
    solved = solve_ivp(lambda t, x: [(zone.exchange * (x[1] - x[0]) - zone.loss * (x[0] - 25)) / zone.air_heat,
                                     (zone.power - zone.exchange * (x[1] - x[0])) / zone.heater_heat,
                                     (x[0] - x[2]) / zone.thermocouple], (0, 300), [25.0] * 3, rtol=1e-9, atol=1e-9,
                       t_eval=run.time)
    assert (run.duty == 1).all()
    assert np.stack([run.air, run.heater, run.measured]) == pytest.approx(solved.y, abs=1e-4)


def test_zone_settles_with_the_duty_of_its_losses():
    """9 W/K · 225 K / 4500 W = 0.45, with a fresh heater and at rest from the start."""
    run = thermal.run_zone(Zone(), 250.0, 600.0)
    assert run.air == pytest.approx(np.full(601, 250.0), abs=1e-6)
    assert run.duty == pytest.approx(np.full(601, 0.45), abs=1e-9)
    warm = thermal.run_zone(Zone(), 250.0, 3600.0, start=25.0)
    assert warm.air[-1] == pytest.approx(250.0, abs=0.05)
    assert warm.air.max() < 258.0                                         # no wind-up


def test_a_weak_heater_works_harder_and_then_cannot_hold():
    """60 % of the power still holds 250 °C at a duty of 0.75; 40 % ends at 25 + 0.4·4500 / 9 = 225 °C at full duty."""
    weak = thermal.run_zone(Zone(), 250.0, 7200.0, heater=lambda t: 0.6 if t > 60 else 1.0)
    assert (weak.air[-1], weak.duty[-1]) == (pytest.approx(250.0, abs=0.05), pytest.approx(0.75, abs=1e-3))
    dead = thermal.run_zone(Zone(), 250.0, 12_000.0, heater=lambda t: 0.4 if t > 60 else 1.0)
    assert (dead.air[-1], dead.duty[-1]) == (pytest.approx(225.0, abs=0.05), 1.0)
    assert thermal.run_zone(Zone(), 250.0, 10.0, heater=0.4).air[0] == pytest.approx(225.0)


def test_a_slow_blower_makes_the_heater_hot():
    """The same heat over a fifth of the exchange: heater over air five times as far."""
    good, bad = (thermal.run_zone(Zone(), 250.0, 10.0, blower=b) for b in (1.0, 0.2))
    assert bad.heater[-1] - bad.air[-1] == pytest.approx(5 * (good.heater[-1] - good.air[-1]), rel=1e-6)
    assert good.heater[-1] - good.air[-1] == pytest.approx(0.45 * 4500 / 60)


def test_motor_temperatures():
    """Two nodes: rest by the two resistances, first slope P / C, between them scipy's solver."""
    motor = MotorHeat()
    assert motor.steady(280.0, 60.0) == pytest.approx((25 + 340 / 17 + 20, 25 + 340 / 17))
    times = np.linspace(0, 6000, 61)
    found = thermal.motor_temperatures(motor, times, 280.0, 60.0)
    solved = solve_ivp(lambda t, x: [(280 - 14 * (x[0] - x[1])) / 3800, (60 + 14 * (x[0] - x[1]) - 17 * (x[1] - 25)) / 21_000],
                       (0, 6000), [25.0, 25.0], rtol=1e-10, atol=1e-8, t_eval=times)
    assert found.T == pytest.approx(solved.y, abs=1e-4)
    assert (thermal.motor_temperatures(motor, [1.0], 280.0)[0, 0] - 25) == pytest.approx(280 / 3800, rel=0.01)
    hot = thermal.motor_temperatures(motor, [1e7], 280.0, 60.0, cooling=0.5)
    assert hot[0] == pytest.approx([25 + 40 + 20, 25 + 40])


def test_bearing_friction():
    """SKF: M = 0.5·µ·P·d = 0.5·0.0015·600·0.025 = 11.25 mN·m, 1.77 W at 25 Hz; the rise lies in 5 … 30 K (reference 5.7)."""
    bearing = BearingHeat()
    assert bearing.power(25.0) == pytest.approx(2 * np.pi * 25 * 11.25e-3)
    assert 5 <= bearing.rise(25.0) < bearing.rise(25.0, 1.0) <= 30
    times = np.arange(0, 7200.0, 10.0)
    course = thermal.bearing_temperature(bearing, times, 25.0, 40.0, np.where(times > 600, 1.0, 0.0))
    assert course[0] == pytest.approx(40 + bearing.rise(25.0))
    after = times - 610.0                                                 # the first value with damage
    expected = 40 + bearing.rise(25.0, 1.0) - (bearing.rise(25.0, 1.0) - bearing.rise(25.0)) * np.exp(-after / 900)
    assert course[after > 0] == pytest.approx(expected[after > 0], abs=1e-6)


# ------------------------------------------------------------------------------------------------ current

def amplitude(signal, rate, frequency):
    """Of one line, by projection."""
    time = np.arange(len(signal)) / rate
    return 2 * abs(np.mean(signal * np.exp(-2j * np.pi * frequency * time)))


@pytest.mark.parametrize("count", [1, 511, 512, 5000])
def test_tones_are_cosines(count):
    time = np.arange(count) / 8000.0
    expected = 2.0 * np.cos(2 * np.pi * 123.4 * time + 0.3) + 0.5 * np.cos(2 * np.pi * 3999.0 * time - 2.0)
    assert tones(count, 8000.0, [(123.4, 2.0, 0.3), (3999.0, 0.5, -2.0)]) == pytest.approx(expected, abs=1e-9)
    assert not tones(count, 8000.0, []).any()


def test_slip_speed_and_torque():
    """50 Hz, two pole pairs, 3 % rated slip: 25 Hz idle, 24.25 Hz at load; 5.5 kW / (2π·24.25 Hz) = 36.1 N·m."""
    motor = InductionMotor()
    assert (motor.speed(0.0), motor.speed(1.0)) == (25.0, pytest.approx(24.25))
    assert motor.torque() == pytest.approx(36.1, abs=0.05)
    assert motor.current(1.0) == pytest.approx(10.5)
    assert motor.current(0.0) == pytest.approx(0.42 * 10.5)


@pytest.mark.parametrize("load", [0.0, 0.4, 1.0])
def test_motor_current_rms(load):
    motor = InductionMotor(harmonics=())
    current = electric.motor_current(motor, 20_000, 10_000.0, load)
    assert math.sqrt(np.mean(current ** 2)) == pytest.approx(motor.current(load), rel=1e-5)


def test_torque_ripple_makes_side_lines():
    """A torque of 2 % at 31 Hz moves the active current: lines at 50 ± 31 Hz of half of it."""
    motor = InductionMotor(harmonics=())
    ripple = tones(20_000, 10_000.0, [(31.0, 0.02, 0.0)])
    current = electric.motor_current(motor, 20_000, 10_000.0, 0.8, ripple=ripple)
    active = math.sqrt(2) * 10.5 * math.sqrt(1 - 0.42 ** 2)
    for line in (19.0, 81.0):
        assert amplitude(current, 10_000.0, line) == pytest.approx(active * 0.01, rel=1e-3)
    assert amplitude(current, 10_000.0, 60.0) < 1e-5


def test_broken_bars_make_lines_at_twice_the_slip():
    """(1 ± 2s)·f: at 2 % slip 48 and 52 Hz."""
    motor = InductionMotor(rated_slip=0.02, unbalance=0.08, harmonics=())
    current = electric.motor_current(motor, 50_000, 10_000.0, 1.0)
    active = math.sqrt(2) * 10.5 * math.sqrt(1 - 0.42 ** 2)
    for line in (48.0, 52.0):
        assert amplitude(current, 10_000.0, line) == pytest.approx(active * 0.04, rel=1e-3)


@pytest.mark.parametrize("duty", [0.0, 0.25, 0.333, 1.0])
def test_heater_current_meets_its_duty(duty):
    heater = Heater()
    current = electric.heater_current(heater, 300_000, 10_000.0, duty)
    assert np.mean(current ** 2) == pytest.approx(duty * heater.current() ** 2, abs=0.002 * heater.current() ** 2)
    halves = np.abs(current.reshape(-1, 100)).max(axis=1)                 # 10 ms each: whole or nothing
    assert set(np.round(halves / (math.sqrt(2) * heater.current()), 3)) <= {0.0, 1.0}


def test_an_old_heater_draws_less():
    """35 % more resistance: current and power 1 / 1.35."""
    heater = Heater()
    assert heater.current(1.0) / heater.current() == pytest.approx(1 / 1.35)
    assert heater.power_left(1.0) == pytest.approx(1 / 1.35)
    assert heater.voltage * heater.current() == pytest.approx(4500, rel=0.001)


def test_pitch_errors_are_autoregressive():
    errors = electric.pitch_errors(200_000, np.random.default_rng(1), 300e-6, 0.85)
    assert errors.std() == pytest.approx(300e-6, rel=0.02)
    assert np.corrcoef(errors[:-1], errors[1:])[0, 1] == pytest.approx(0.85, abs=0.01)


def test_feeder_current_rises_with_pitch_error():
    """Friction 0.15 A + 0.25 A while it speeds up; 1570 A/m of drag: 0.2 mm more is 0.314 A."""
    feeder = Feeder()
    good, bad = (electric.feeder_current(feeder, 5000, 25_600.0, [0.02], e) for e in (0.0, 2e-4))
    assert good.max() == pytest.approx(0.40, abs=0.005)
    assert bad.max() == pytest.approx(0.714, abs=0.005)
    assert bad.min() < good.min()                                         # taken back in the other direction
    assert np.abs(good[4000:]).max() < 1e-6
