"""heads: the acceleration of a placement head: moves from part to part, and the knock of every nozzle that touches down.

A worn nozzle touches down harder and less evenly: its tip sticks and lets the part slip (kurtosis and RMS rise, domain
reference 6.4). All figures are engineering defaults of a head of eight nozzles at 30,000 parts an hour.
"""
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generators.traces.normals import normals
from generators.traces.structure import RUN_UP, Mode, answer, strike

F32 = NDArray[np.float32]

PERIOD = 0.12                                  # [s] from part to part
MOVE = 0.6                                     # [1] of the period that the head moves
PEAK = 19.5                                    # [m/s²] acceleration of a mean move
TOUCH = 2.5e-3                                 # [N s] of a new nozzle that touches down
CONTACT = 0.4e-3                               # [s] that it lasts: rubber, not steel
SPREAD, WORN_SPREAD = 0.15, 0.35               # [1] σ of its logarithm; how much more when worn out
WORN_TOUCH = 6.0                               # [1] by which the mean impulse grows when worn out
FLOOR = 2e-3                                   # [N/√Hz] of bearings and cable chains while it works; a tenth of it at rest
GANTRY = (Mode(58.0, 0.05, 25.0), Mode(170.0, 0.04, 12.0), Mode(900.0, 0.03, 1.0))
DOWN = (0.2, 1.0, 0.1)                         # [1] direction of a touch-down


def head_acceleration(wear: Sequence[float], rate: float, count: int, rng: np.random.Generator, *,
                      work: tuple[float, float] = (-math.inf, math.inf), direction: int = 0) -> F32:
    """Acceleration [m/s²] of the head along the gantry, shape (count,).

    Args:
        wear: [1] of every nozzle, 0 … 1; they take turns.
        rate: [Hz].
        rng: Four children: moves, touch-downs, noise, and which nozzle comes first.
        work: [s] from the first reading, between which it places parts.
        direction: 0 along the gantry, 1 vertical, 2 across.
    """
    moving, touching, noisy, order = rng.spawn(4)
    time = np.arange(count) / rate
    busy = (time >= work[0]) & (time < work[1])
    late = order.random()                                                  # where in a period the first reading lies
    cycles = math.ceil(count / rate / PERIOD) + 3
    nozzle = (np.arange(cycles) + order.integers(len(wear))) % len(wear)

    phase = time / PERIOD + late
    number = phase.astype(np.intp)
    within = (phase - number) / MOVE
    size = PEAK * moving.gamma(4.0, 0.25, cycles) * moving.choice([-1.0, 1.0], cycles)
    out = size.astype(np.float32).take(number) * np.sin((2 * np.pi * within).astype(np.float32))
    out[~busy | (within >= 1)] = 0
    if direction != 0:
        out *= np.float32(0.05)                                            # a stiff guide: little crosswise

    worn = np.asarray(wear, np.float64)[nozzle]
    sigma, lead = SPREAD + WORN_SPREAD * worn, round(RUN_UP * rate)
    impulse = TOUCH * (1 + WORN_TOUCH * worn) * np.exp(sigma * touching.standard_normal(cycles))
    at = (np.arange(cycles) - 1 + MOVE + 0.25 * (1 - MOVE) * (1 + 0.1 * touching.standard_normal(cycles)) - late) * PERIOD
    at_work = (at >= work[0]) & (at < work[1])
    drive = normals(noisy, count + lead) * np.float32(FLOOR * math.sqrt(rate / 2) / rate)
    drive[lead:][~busy] *= 0.1
    strike(drive, at[at_work] + lead / rate, impulse[at_work], rate)
    out += answer(GANTRY, DOWN, drive, rate, (direction,), CONTACT)[0, lead:]
    return out


__all__ = ["GANTRY", "PERIOD", "head_acceleration"]
