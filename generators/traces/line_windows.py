"""line_windows: fast windows of a living line: which machine a sensor sits on, and what its drifts do to it.

A thin map: severities become faults of machines here, everything else is elsewhere. ``MAKERS`` has one function per kind of
channel, from a moment to a trace.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.traces import sensor
from generators.traces.acoustics import velocity
from generators.traces.bearings import PARTS
from generators.traces.heads import head_acceleration
from generators.traces.machines import BLOWER, CONVEYOR
from generators.traces.moment import Moment, moments
from generators.traces.sensor import F32, SensorModel, Trace
from generators.traces.vibration import Machine, fitted, vibration
from scenes.errors import SceneError
from scenes.line.couplings import number
from scenes.line.drifts import KINDS, parameters
from scenes.line.model import Drift, Run
from scenes.line.quantities import UNITS, quantity

Maker = Callable[[Moment], Trace]

SPALLED = (0.6, 0.3, 0.1, 0.0)                 # [1] outer, inner, ball, cage among failing bearings (engineering default)
PLAY = 1.0                                     # [1] looseness that the play of a failed bearing comes to (engineering default)
ACCELEROMETER = SensorModel(low=-490.0, high=490.0, bandwidth=10e3, coupling=0.5, anti_alias=True, resolution=490 / 2 ** 23,
                            noise_density=5e-4)
# IEPE, 100 mV/g, ±50 g, 24 bit, 50 µg/√Hz (engineering default)
VELOMETER = SensorModel(low=-0.1, high=0.1, bandwidth=4e3, coupling=2.0, anti_alias=True, resolution=0.1 / 2 ** 23,
                        noise_density=2e-7)
# piezo velocity sensor, ±100 mm/s (engineering default)


def windows(run: Run, unit: int, station: str, seed: int, *, seconds: float = 1.0) -> tuple[Trace, ...]:
    """The fast windows around a unit's stay at a station: one per sensor of its that has a ``window_rate``.

    Args:
        unit: Row of the run.
        seed: Of the line's traces: the same seed gives the same parts and the same windows, whichever are asked for.
        seconds: Length of each.

    Returns:
        Traces in the order of the line's sensors; none where the unit did not visit the station.

    Raises:
        SceneError: an unknown station, or a sensor whose quantity has no waveform.
    """
    return tuple(_maker(moment)(moment) for moment in moments(run, unit, station, seed, seconds))


def _maker(moment: Moment) -> Maker:
    if moment.kind not in MAKERS:
        raise SceneError(f"sensor '{moment.sensor.channel}': a {moment.sensor.quantity} has no fast waveform; "
                         f"set window_rate_hz to 0, or measure one of {', '.join(sorted(MAKERS))}")
    return MAKERS[moment.kind]


def reading(moment: Moment, true: NDArray[Any], model: SensorModel, rng: np.random.Generator) -> Trace:
    """What an instrument makes of a waveform in SI, in the unit of the line's sensor; losses and clock are that sensor's."""
    model = replace(model, dropout=moment.sensor.dropout, clock_offset=moment.sensor.clock_offset)
    trace = sensor.window(true, moment.sensor.window_rate, moment.sensor, model, rng, start=moment.start)
    scale, offset = UNITS[quantity(moment.sensor.channel, moment.station.kind).unit][moment.sensor.unit]
    return replace(trace, values=trace.values * np.float32(scale) + np.float32(offset))


def bearing_faults(moment: Moment, machine: Machine, kind: str, module: str | None = None) -> tuple[Machine, dict[str, float]]:
    """The specimen that runs now, and its faults: a drift's severity is that of a spall on the ring that this part fails at."""
    faults: dict[str, float] = {}
    specimen = fitted(machine, moment.specimen(f"{moment.station.station}/{machine.name}/{module or ''}"))
    for drift, severity in moment.drifts(kind, module).items():
        rng = moment.specimen(drift)
        specimen = fitted(machine, rng)
        part = PARTS[int(rng.choice(len(PARTS), p=SPALLED))]
        faults[part] = max(faults.get(part, 0.0), severity)
        faults["looseness"] = max(faults.get("looseness", 0.0), PLAY * severity)
    return specimen, faults


def of(moment: Moment, drift: str) -> Drift:
    """A drift of the line by its id."""
    return next(d for d in moment.line.drifts if d.id == drift)


def blower_speed(moment: Moment) -> float:
    """Speed [Hz] of the blower of the sensor's zone, as its bearing lets it."""
    speed = BLOWER.speed
    for drift, severity in moment.drifts("zone_blower_bearing", moment.module).items():
        speed *= 1 - parameters(of(moment, drift))["speed_loss"] * severity
    return speed


def blower(moment: Moment) -> Trace:
    """Vibration of the blower of an oven zone. Friction slows it down as its bearing fails."""
    rng = moment.rng()
    return reading(moment, _blown(moment, rng), ACCELEROMETER, rng)


def blower_velocity(moment: Moment) -> Trace:
    """The same as velocity, integrated by the instrument from 2 Hz up."""
    rng = moment.rng()
    return reading(moment, velocity(_blown(moment, rng).astype(np.float64), moment.sensor.window_rate), VELOMETER, rng)


def _blown(moment: Moment, rng: np.random.Generator) -> F32:
    """True acceleration [m/s²], (N,)."""
    machine, faults = bearing_faults(moment, BLOWER, "zone_blower_bearing", moment.module)
    return vibration(machine, faults, moment.sensor.window_rate, moment.count, rng, speed=blower_speed(moment),
                     start_phase=2 * np.pi * rng.random())


def conveyor(moment: Moment) -> Trace:
    """Vibration of a conveyor's drive. A drift that shakes the belt less than the kind's default has a smaller spall."""
    rng = moment.rng()
    machine, faults = bearing_faults(moment, CONVEYOR, "conveyor_bearing")
    usual = KINDS["conveyor_bearing"].parameters["shake"].default
    most = max((parameters(of(moment, d))["shake"] for d in moment.drifts("conveyor_bearing")), default=usual)
    faults = {part: min(severity * most / usual, 1.0) for part, severity in faults.items()}
    true = vibration(machine, faults, moment.sensor.window_rate, moment.count, rng, start_phase=2 * np.pi * rng.random())
    return reading(moment, true, ACCELEROMETER, rng)


def head(moment: Moment) -> Trace:
    """Acceleration of a placement head, which moves while the unit is worked on."""
    rng = moment.rng()
    wear = [0.0] * 8
    for drift, severity in moment.drifts("nozzle_wear").items():
        which = (number(of(moment, drift).module) - 1) % len(wear)
        wear[which] = min(wear[which] + severity * parameters(of(moment, drift))["wear"], 1.0)
    begin, end = moment.work
    true = head_acceleration(wear, moment.sensor.window_rate, moment.count, rng, work=(begin - moment.start, end - moment.start))
    return reading(moment, true, ACCELEROMETER, rng)


MAKERS: Mapping[str, Maker] = {
    "zone*/blower_acceleration": blower, "zone*/blower_velocity": blower_velocity, "conveyor/acceleration": conveyor,
    "head/acceleration": head,
}
"""By kind of channel: the module's word and the quantity."""

__all__ = ["ACCELEROMETER", "MAKERS", "VELOMETER", "Maker", "Moment", "bearing_faults", "blower_speed", "reading", "windows"]
