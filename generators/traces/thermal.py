"""thermal: temperatures of ovens, motors and bearings, in exact steps.

Every body here is linear in its temperatures while its heat is constant, x' = A·x + b, so a step of any length is
x(t + h) = x∞ + e^(A·h)·(x − x∞): no error of integration, and steps as long as the controller's period.
Temperatures are °C in and out (as machines log them), differences K, powers W.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm
from scipy.signal import lfilter

F64 = NDArray[np.float64]


def lag(values: ArrayLike, rate: float, tau: float, start: float | None = None) -> F64:
    """First-order lag [s] of a signal that is constant between its samples, exact.

    Args:
        values: (N,), value k holds from time k / rate on.
        rate: [Hz].
        tau: [s]; 0 returns the values.
        start: State at time 0; the first value (settled) unless given.

    Returns:
        (N,) state at the times k / rate.
    """
    values = np.asarray(values, np.float64)
    if tau <= 0 or len(values) == 0:
        return values.copy()
    keep = math.exp(-1 / (rate * tau))
    first = float(values[0]) if start is None else start
    found, _ = lfilter([0.0, 1 - keep], [1.0, -keep], values, zi=[first])
    return np.asarray(found, np.float64)


# ------------------------------------------------------------------------------------------------ oven zone

@dataclass(frozen=True)
class Controller:
    """PID on the thermocouple, output 0 … 1, sampled. Integration stops at the limits. Engineering defaults."""
    gain: float = 0.020                        # [1/K]
    integral: float = 90.0                     # [s] reset time; inf for none
    derivative: float = 0.0                    # [s]
    period: float = 1.0                        # [s]


@dataclass(frozen=True)
class Zone:
    """One convection zone: a heater in the stream of a blower, and the air that boards meet. Engineering defaults.

    Two heats: the heater's own and that of air and walls. A blower that fails moves less of the heat from one to the other.
    """
    power: float = 4500.0                      # [W] of a new heater at full duty
    heater_heat: float = 900.0                 # [J/K]
    exchange: float = 60.0                     # [W/K] heater to air, with a good blower
    air_heat: float = 5200.0                   # [J/K] air and the metal that follows it
    loss: float = 9.0                          # [W/K] air to room: walls, exhaust, boards
    room: float = 25.0                         # [°C]
    thermocouple: float = 4.0                  # [s] lag; 0 for none
    controller: Controller = Controller()

    def steady_duty(self, setpoint: float, heater: float = 1.0) -> float:
        """[1] the duty that holds a temperature [°C] with ``heater`` [1] of the new power left; above 1 it cannot be held."""
        return self.loss * (setpoint - self.room) / (self.power * heater)

    def reachable(self, heater: float = 1.0) -> float:
        """[°C] of the air at full duty for ever."""
        return self.room + self.power * heater / self.loss


@dataclass(frozen=True, eq=False)
class ZoneRun:
    """A zone over time, one value per control period."""
    time: F64                                  # (N,) [s]
    air: F64                                   # (N,) [°C] what boards meet
    heater: F64                                # (N,) [°C]
    measured: F64                              # (N,) [°C] what the thermocouple says
    duty: F64                                  # (N,) [1] in the period that follows


def run_zone(zone: Zone, setpoint: float | Callable[[float], float], duration: float, *, start: float | None = None,
             heater: float | Callable[[float], float] = 1.0, blower: float | Callable[[float], float] = 1.0) -> ZoneRun:
    """A zone under its controller.

    Args:
        zone: The zone.
        setpoint: [°C], or a function of time [s].
        duration: [s].
        start: [°C] of everything at time 0, controller at rest; settled on the first set point unless given.
        heater: [1] of the new power that is left, or a function of time: a strip whose resistance rises gives V²/R.
        blower: [1] of the new exchange that is left, or a function of time.

    Returns:
        The run. Set point, heater and blower are looked at once per period.
    """
    want, left, wind = _function(setpoint), _function(heater), _function(blower)
    c = zone.controller
    count = round(duration / c.period) + 1
    time = np.arange(count, dtype=np.float64) * c.period
    air, hot, seen, duties = np.empty((4, count))
    settled = zone.steady_duty(want(0.0), left(0.0)) if start is None else 0.0
    total = min(max(settled, 0.0), 1.0)                                   # the integral part [1]
    a = want(0.0) if start is None else start
    if start is None and settled > 1.0:
        a = zone.reachable(left(0.0))
    h = a + total * zone.power * left(0.0) / (zone.exchange * wind(0.0))
    t, last = a, a
    reset = c.period / c.integral if math.isfinite(c.integral) else 0.0
    wind_now, step = math.nan, [[0.0]]
    for k in range(count):
        now = k * c.period
        error = want(now) - t
        wished = c.gain * (error - c.derivative * (t - last) / c.period) + total
        duty = min(max(wished, 0.0), 1.0)
        if duty == wished or (wished - duty) * error < 0:                 # integrate unless that drives it further out
            total += c.gain * reset * error
        air[k], hot[k], seen[k], duties[k] = a, h, t, duty
        last = t
        if wind(now) != wind_now:
            wind_now = wind(now)
            step = _zone_step(zone, wind_now)
        heat = duty * zone.power * left(now)
        rest_air = zone.room + heat / zone.loss
        rest_hot = rest_air + heat / (zone.exchange * wind_now)
        da, dh, dt = a - rest_air, h - rest_hot, t - rest_air
        a = rest_air + step[0][0] * da + step[0][1] * dh
        h = rest_hot + step[1][0] * da + step[1][1] * dh
        t = rest_air + step[2][0] * da + step[2][1] * dh + step[2][2] * dt if zone.thermocouple > 0 else a
    return ZoneRun(time, air, hot, seen, duties)


def _zone_step(zone: Zone, wind: float) -> list[list[float]]:
    """e^(A·period) of (air, heater, thermocouple) as plain floats: the loop is scalar."""
    g, ca, ch = zone.exchange * wind, zone.air_heat, zone.heater_heat
    tc = 1 / zone.thermocouple if zone.thermocouple > 0 else 0.0
    a = np.array([[-(g + zone.loss) / ca, g / ca, 0.0], [g / ch, -g / ch, 0.0], [tc, 0.0, -tc]])
    found: list[list[float]] = expm(a * zone.controller.period).tolist()
    return found


def _function(value: float | Callable[[float], float]) -> Callable[[float], float]:
    if callable(value):
        return value
    return lambda _: value


# ------------------------------------------------------------------------------------------------ motors and bearings

@dataclass(frozen=True)
class MotorHeat:
    """Winding and housing of an induction motor. Engineering defaults: 5.5 kW, totally enclosed, own fan."""
    winding_heat: float = 3800.0               # [J/K]
    housing_heat: float = 21_000.0             # [J/K]
    inside: float = 14.0                       # [W/K] winding to housing
    outside: float = 17.0                      # [W/K] housing to room
    room: float = 25.0                         # [°C]

    def steady(self, winding_loss: float, housing_loss: float = 0.0, cooling: float = 1.0) -> tuple[float, float]:
        """(winding, housing) [°C] at rest for losses [W] and the share of cooling that is left."""
        housing = self.room + (winding_loss + housing_loss) / (self.outside * cooling)
        return housing + winding_loss / self.inside, housing


def motor_temperatures(motor: MotorHeat, times: ArrayLike, winding_loss: float, housing_loss: float = 0.0, *,
                       cooling: float = 1.0, start: tuple[float, float] | None = None) -> F64:
    """(N, 2) [°C] of winding and housing at times [s] after the losses [W] were switched on; exact.

    ``start`` is (winding, housing) [°C] at time 0; both at room temperature unless given.
    """
    times = np.asarray(times, np.float64)
    rest = np.array(motor.steady(winding_loss, housing_loss, cooling))
    first = np.array(start if start is not None else (motor.room, motor.room))
    a = np.array([[-motor.inside / motor.winding_heat, motor.inside / motor.winding_heat],
                  [motor.inside / motor.housing_heat, -(motor.inside + motor.outside * cooling) / motor.housing_heat]])
    values, vectors = np.linalg.eig(a)                                    # real and negative: a passive network
    weights = np.linalg.solve(vectors, first - rest)
    found: F64 = rest + (np.exp(times[:, None] * values) * weights) @ vectors.T
    return found


@dataclass(frozen=True)
class BearingHeat:
    """Friction of a rolling bearing and the way its heat goes. Friction moment 0.5·µ·P·bore (SKF, simple estimate)."""
    bore: float = 0.025                        # [m]
    load: float = 600.0                        # [N] equivalent
    friction: float = 0.0015                   # [1] µ of a deep-groove ball bearing (SKF catalogue)
    resistance: float = 4.0                    # [K/W] to the room, housing included; engineering default
    damaged: float = 4.0                       # [1] friction at severity 1 over that when new; engineering default
    tau: float = 900.0                         # [s]

    def power(self, speed: float, severity: float = 0.0) -> float:
        """Heat [W] at a shaft speed [Hz]."""
        moment = 0.5 * self.friction * self.load * self.bore * (1 + (self.damaged - 1) * severity)
        return 2 * math.pi * speed * moment

    def rise(self, speed: float, severity: float = 0.0) -> float:
        """[K] above its surroundings at rest: 5 … 30 K (domain reference 5.7)."""
        return self.resistance * self.power(speed, severity)


def bearing_temperature(bearing: BearingHeat, times: ArrayLike, speed: float, around: float, severity: ArrayLike = 0.0) -> F64:
    """[°C] at equally spaced times [s], shape (N,), next to surroundings of ``around`` [°C]; settled at the first one.

    ``severity`` is a number or shape (N,): what it is at the time.
    """
    times = np.asarray(times, np.float64)
    damage = np.broadcast_to(np.asarray(severity, np.float64), times.shape)
    rise = bearing.rise(speed) * (1 + (bearing.damaged - 1) * damage)
    if len(times) < 2:
        return around + rise
    found: F64 = around + lag(rise, (len(times) - 1) / float(times[-1] - times[0]), bearing.tau)
    return found


__all__ = ["BearingHeat", "Controller", "MotorHeat", "Zone", "ZoneRun", "bearing_temperature", "lag", "motor_temperatures",
           "run_zone"]
