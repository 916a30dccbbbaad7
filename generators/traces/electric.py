"""electric: currents of induction motors, heaters and feeders.

A motor's current is a magnetising part that lags by 90° and a part in phase that carries the torque, so what makes the torque
ripple (a bearing that catches, a bent shaft) is seen as side lines at supply ± ripple frequency: the waveform is the cause.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

from generators.traces.tones import tones

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class InductionMotor:
    """A three-phase cage motor on the mains. Engineering defaults: 5.5 kW, four poles, 400 V."""
    supply: float = 50.0                       # [Hz]
    pole_pairs: int = 2
    power: float = 5500.0                      # [W] rated, at the shaft
    rated_slip: float = 0.03                   # [1]
    rated_current: float = 10.5                # [A] RMS
    no_load: float = 0.42                      # [1] magnetising current over rated current
    harmonics: tuple[tuple[int, float], ...] = ((5, 0.015), (7, 0.010), (11, 0.004))   # of the mains, over the rated current
    unbalance: float = 0.0                     # [1] of the rotor's bars: 0 whole, 0.05 about one broken bar of thirty

    def slip(self, load: float) -> float:
        """[1] at a load [1]: in proportion, as near synchronous speed."""
        return self.rated_slip * load

    def speed(self, load: float) -> float:
        """Shaft speed [Hz]."""
        return self.supply / self.pole_pairs * (1 - self.slip(load))

    def current(self, load: float) -> float:
        """[A] RMS without ripple."""
        return math.hypot(self.no_load, load * math.sqrt(1 - self.no_load ** 2)) * self.rated_current

    def torque(self, load: float = 1.0) -> float:
        """[N·m] at the shaft."""
        return load * self.power / (2 * math.pi * self.speed(1.0))


def motor_current(motor: InductionMotor, count: int, rate: float, load: float, *, ripple: ArrayLike = 0.0,
                  phase: float = 0.0) -> F64:
    """Current [A] of one phase, shape (count,).

    Args:
        motor: The motor.
        count: Of values.
        rate: [Hz].
        load: [1] mean torque over rated.
        ripple: [1] torque over rated at each value, (count,) or a number, mean 0: a bearing's torque divided by
            ``motor.torque()``.
        phase: [rad] of the mains at the first value.
    """
    peak, f = math.sqrt(2.0) * motor.rated_current, motor.supply
    active = load + np.asarray(ripple, np.float64)
    if motor.unbalance > 0:                                               # bars meet the field twice per slip period
        active = active * (1 + tones(count, rate, [(2 * motor.slip(load) * f, motor.unbalance, 0.0)]))
    found: F64 = active * tones(count, rate, [(f, peak * math.sqrt(1 - motor.no_load ** 2), phase)])
    found += tones(count, rate, [(f, peak * motor.no_load, phase - math.pi / 2),
                                 *((n * f, peak * share, n * phase) for n, share in motor.harmonics if n * f < rate / 2)])
    return found


@dataclass(frozen=True)
class Heater:
    """A resistance heater behind a solid-state relay that switches whole half-waves. Engineering defaults."""
    voltage: float = 230.0                     # [V] RMS
    resistance: float = 11.75                  # [Ω] when new: 4.5 kW
    supply: float = 50.0                       # [Hz]
    burst: float = 1.0                         # [s] time-proportioning period
    ageing: float = 0.35                       # [1] more resistance at severity 1

    def current(self, severity: float = 0.0) -> float:
        """[A] RMS while on."""
        return self.voltage / (self.resistance * (1 + self.ageing * severity))

    def power_left(self, severity: float = 0.0) -> float:
        """[1] of the new power: V²/R."""
        return 1 / (1 + self.ageing * severity)


def heater_current(heater: Heater, count: int, rate: float, duty: ArrayLike, severity: float = 0.0) -> F64:
    """Current [A], shape (count,): bursts of whole half-waves whose share of the period is the duty.

    ``duty`` [1] is a number or one per burst period. A duty is met over periods: what a half-wave is too long for is owed
    to the next period.
    """
    per_burst = max(1, round(2 * heater.supply * heater.burst))           # half-waves in a period
    time = np.arange(count, dtype=np.float64) / rate
    half = np.floor(time * (2 * heater.supply) + 1e-9).astype(np.int64)
    bursts = int(half[-1]) // per_burst + 1 if count else 0
    wanted = np.broadcast_to(np.clip(np.asarray(duty, np.float64), 0, 1), (bursts,)) * per_burst
    sent = np.diff(np.floor(np.concatenate([[0.0], np.cumsum(wanted)]) + 0.5))
    on = half % per_burst < sent[half // per_burst]
    turn = 2 * math.pi * heater.supply * time
    return np.asarray(math.sqrt(2.0) * heater.current(severity) * on * np.sin(turn), np.float64)


@dataclass(frozen=True)
class Feeder:
    """An electric tape feeder: a geared DC motor that turns a sprocket by one pitch. Engineering defaults."""
    pitch: float = 4e-3                        # [m]
    move: float = 0.050                        # [s] for one pitch
    friction: float = 0.15                     # [A] of the tape, its cover and the gear
    inertia: float = 0.25                      # [A] peak while it speeds up or slows down
    drag: float = 1570.0                       # [A/m] more friction for each metre that a hole sits off its tooth
    correction: float = 0.012                  # [s] of the move that takes an error back
    tau: float = 0.8e-3                        # [s] electric time constant


def pitch_errors(count: int, rng: np.random.Generator, spread: float, memory: float = 0.85, start: float = 0.0) -> F64:
    """Error [m] of each of ``count`` pitches: a first-order autoregression whose standard deviation settles at ``spread`` [m]."""
    shocks = spread * math.sqrt(1 - memory ** 2) * rng.standard_normal(count)
    found, _ = lfilter([1.0], [1.0, -memory], shocks, zi=[memory * start])
    return np.asarray(found, np.float64)


def feeder_current(feeder: Feeder, count: int, rate: float, moves: Sequence[float], errors: ArrayLike) -> F64:
    """Motor current [A], shape (count,), over moves that begin at times [s] and meet errors [m].

    A move accelerates for a third, runs, and brakes for a third; an error drags all the way and is then taken back by a short
    move against its sign, in proportion.
    """
    time = np.arange(count, dtype=np.float64) / rate
    wanted = np.full(count, 1e-30)                                        # not 0, whose decay ends in slow subnormal numbers
    for begin, error in zip(moves, np.broadcast_to(np.asarray(errors, np.float64), (len(moves),)), strict=True):
        first, last, end = np.searchsorted(time, [begin, begin + feeder.move, begin + feeder.move + feeder.correction])
        share = (time[first:last] - begin) / feeder.move
        push = np.where(share < 1 / 3, 1.0, np.where(share < 2 / 3, 0.0, -1.0))
        wanted[first:last] += feeder.friction + feeder.drag * abs(error) + feeder.inertia * push
        back = (time[last:end] - begin - feeder.move) / feeder.correction
        wanted[last:end] -= feeder.drag * error * np.sin(math.pi * back)
    keep = math.exp(-1 / (rate * feeder.tau))
    found, _ = lfilter([1 - keep], [1.0, -keep], wanted, zi=[0.0])
    return np.asarray(found, np.float64)


__all__ = ["Feeder", "Heater", "InductionMotor", "feeder_current", "heater_current", "motor_current", "pitch_errors"]
