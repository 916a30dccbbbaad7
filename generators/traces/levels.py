"""levels: how strongly a machine moves on the mean, before anything is drawn, and setting it to a level that is known.

Mean squares are sums of two shares that do not depend on each other: what is locked to the shaft, Σ |answer|² / 2, and what
strikes and noise drive, by Campbell's theorem: impulses J that come λ times a second are as strong as white noise of variance
λ·E[J²] per second. Lines that strikes in step make of that noise have the same power on the mean.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from generators.traces import bearings, structure, vibration
from generators.traces.kept import frequencies, kept
from generators.traces.sensor import PASS
from generators.traces.vibration import LOADED, Running, Through

F64 = NDArray[np.float64]

LINES = 1 << 13                                # of the spectrum over which driven motion is summed


def mean_squares(run: Running, rate: float, direction: int, through: Through | None = None) -> tuple[float, float]:
    """Expected mean squares of what is locked to the shaft and of what is driven, as a sensor at ``rate`` [Hz] passes it.

    Args:
        run: The machine.
        rate: [Hz] of the readings; half of it times the pass band of an anti-alias filter is heard.
        direction: 0 horizontal, 1 vertical, 2 axial.
        through: As of ``vibration.moved``.

    Returns:
        [(m/s²)²], or what ``through`` makes of it.
    """
    return _shares(run, rate, direction, (through,))[0]


def _shares(run: Running, rate: float, direction: int, throughs: Iterable[Through | None]) -> list[tuple[float, float]]:
    """The mean squares after each of several ways."""
    speed, machine = run.way.speed, run.machine
    order, answers = vibration.answers(machine.modes, vibration.forces(run), speed, PASS * rate / 2, (direction,))
    size = np.square(np.abs(answers[:, 0])) / 2
    density = vibration.noise_force(run) ** 2 / 2                          # [(N s)²/s], of both signs of frequency
    for knock in vibration.knocks(run):
        density += knock.ratio * speed * knock.impulse ** 2 * math.exp(2 * vibration.KNOCKS_DIFFER ** 2)
    for part in bearings.PARTS:
        if machine.bearing and run.faults.get(part):
            often, square = bearings.strength(machine.bearing, part, run.faults[part], speed, angle=machine.angle,
                                              load=run.load, clearance=machine.clearance)
            density += often * square
    found = []
    for through in throughs:
        locked = size if through is None else size * np.square(np.abs(through(order * speed)))
        gain = float(_gain(LINES, rate, machine.modes, direction, through)[0])
        found.append((float(locked.sum()), density * gain * run.driven ** 2))
    return found


@kept
def _gain(count: int, rate: float, modes: tuple[structure.Mode, ...], direction: int, through: Through | None) -> F64:
    """(1,) mean square of the answer to white impulses of 1 (N s)² per second."""
    answer = np.abs(structure.transfer(count, rate, modes, LOADED, (direction,))[0].astype(np.complex128)) ** 2 / rate
    if through is not None:
        answer *= np.abs(vibration.passed(count, rate, through)) ** 2
    return np.array([2 * answer[frequencies(count, rate) <= PASS * rate / 2].sum() / count])


def levelled(run: Running, rate: float, direction: int, wanted: Mapping[Through | None, float]) -> Running:
    """The same machine whose expected RMS, as one or two kinds of sensor see it, is what is wanted.

    With one, everything is scaled alike. With two (acceleration and velocity), what is locked to the shaft and what is driven
    are scaled each by itself; where no scales give both, everything is scaled alike to meet the first.
    """
    shares = _shares(run, rate, direction, wanted)
    squares = [rms ** 2 for rms in wanted.values()]
    (locked, struck), square = shares[0], squares[0]
    turned = driven = square / (locked + struck) if locked + struck > 0 else 1.0
    if len(shares) == 2:
        across = locked * shares[1][1] - struck * shares[1][0]             # Cramer's rule
        if abs(across) > 1e-9 * locked * shares[1][1]:
            own = (square * shares[1][1] - struck * squares[1]) / across, (locked * squares[1] - square * shares[1][0]) / across
            turned, driven = own if min(own) >= 0 else (turned, driven)
    return replace(run, turned=run.turned * math.sqrt(turned), driven=run.driven * math.sqrt(driven))


__all__ = ["levelled", "mean_squares"]
