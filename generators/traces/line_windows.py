"""line_windows: fast windows of a living line: which machine a sensor sits on, and what its drifts do to it.

A thin map: severities become faults of machines here, everything else is elsewhere. ``MAKERS`` has one function per kind of
channel, from a moment to a trace.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from generators.traces import wearing
from generators.traces.acoustics import integrated
from generators.traces.heads import head_acceleration
from generators.traces.levels import levelled
from generators.traces.line_signals import SIGNALS
from generators.traces.moment import Moment, moments
from generators.traces.sensor import Trace
from generators.traces.structure import HORIZONTAL
from generators.traces.vibration import Running, Through, moved
from generators.traces.wearing import ACCELEROMETER, VELOMETER, of, reading
from scenes.errors import SceneError
from scenes.line import couplings
from scenes.line.drifts import parameters
from scenes.line.model import Run

Maker = Callable[[Moment], Trace]


def windows(run: Run, unit: int, station: str, seed: int, *, seconds: float = 1.0,
            until: float = math.inf) -> tuple[Trace, ...]:
    """The fast windows around a unit's stay at a station: one per sensor of its that has a ``window_rate``.

    Args:
        unit: Row of the run.
        seed: Of the line's traces: the same seed gives the same parts and the same windows, whichever are asked for.
        seconds: Length of each.
        until: [s] of the run that none reaches beyond.

    Returns:
        Traces in the order of the line's sensors; none where the unit did not visit the station.

    Raises:
        SceneError: an unknown station, or a sensor whose quantity has no waveform.
        InputError: a window without a reading, or with too many.
    """
    return tuple(_maker(moment)(moment) for moment in moments(run, unit, station, seed, seconds, until))


def _maker(moment: Moment) -> Maker:
    if moment.kind not in MAKERS:
        raise SceneError(f"sensor '{moment.sensor.channel}': a {moment.sensor.quantity} has no fast waveform; "
                         f"set window_rate_hz to 0, or measure one of {', '.join(sorted(MAKERS))}")
    return MAKERS[moment.kind]


def blower(moment: Moment) -> Trace:
    """Vibration of the blower of an oven zone."""
    rate = moment.sensor.window_rate
    return reading(moment, moved(_blower(moment), rate, moment.count, (HORIZONTAL,))[0], ACCELEROMETER, moment.rng())


def blower_velocity(moment: Moment) -> Trace:
    """The same as velocity, integrated by the instrument from 2 Hz up."""
    rate = moment.sensor.window_rate
    true = moved(_blower(moment), rate, moment.count, (HORIZONTAL,), integrated)[0]
    return reading(moment, true, VELOMETER, moment.rng())


def _blower(moment: Moment) -> Running:
    """As strong as its history has it, in acceleration and in velocity."""
    severity = wearing.condition(moment, "zone_blower_bearing", moment.module)
    acceleration, velocity = couplings.blower_motion(severity, wearing.blower_turns(moment))
    wanted: Mapping[Through | None, float] = {None: float(acceleration), integrated: float(velocity)}
    return levelled(wearing.blower(moment), moment.sensor.window_rate, HORIZONTAL, wanted)


def conveyor(moment: Moment) -> Trace:
    """Vibration of a conveyor's drive, as strong as its history has it."""
    rate = moment.sensor.window_rate
    run = levelled(wearing.belt(moment), rate, HORIZONTAL, {None: wearing.belt_shake(moment)})
    return reading(moment, moved(run, rate, moment.count, (HORIZONTAL,))[0], ACCELEROMETER, moment.rng())


def head(moment: Moment) -> Trace:
    """Acceleration of a placement head, which moves while the unit is worked on."""
    rng = moment.rng()
    wear = [0.0] * couplings.NOZZLES
    for drift, severity in moment.drifts("nozzle_wear").items():
        which = (couplings.number(of(moment, drift).module) - 1) % len(wear)
        wear[which] = min(wear[which] + severity * parameters(of(moment, drift))["wear"], 1.0)
    begin, end = moment.work
    true = head_acceleration(wear, moment.sensor.window_rate, moment.count, rng, work=(begin - moment.start, end - moment.start))
    return reading(moment, true, ACCELEROMETER, rng)


MAKERS: Mapping[str, Maker] = {
    "zone*/blower_acceleration": blower, "zone*/blower_velocity": blower_velocity, "conveyor/acceleration": conveyor,
    "head/acceleration": head, **SIGNALS,
}
"""By kind of channel: the module's word and the quantity."""

__all__ = ["ACCELEROMETER", "MAKERS", "VELOMETER", "Maker", "Moment", "reading", "windows"]
