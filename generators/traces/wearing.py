"""wearing: what the drifts of a moment are to its machines, and what an instrument makes of a waveform of the line."""
from __future__ import annotations

from bisect import bisect
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.traces import sensor
from generators.traces.bearings import PARTS
from generators.traces.machines import BLOWER, CONVEYOR
from generators.traces.moment import Moment
from generators.traces.sensor import SensorModel, Trace
from generators.traces.vibration import Machine, Running, fitted, running
from scenes.line import couplings
from scenes.line.drifts import KINDS, parameters
from scenes.line.model import Drift
from scenes.line.quantities import UNITS, quantity

SPALLED = (0.6, 0.9)                           # [1] of failing bearings: outer ring, either, else a ball (engineering default)
PLAY = 0.7                                     # [1] looseness that the play of a failed bearing comes to (engineering default)
ACCELEROMETER = SensorModel(low=-490.0, high=490.0, bandwidth=10e3, coupling=0.5, anti_alias=True, resolution=490 / 2 ** 23,
                            noise_density=5e-4)
# IEPE, 100 mV/g, ±50 g, 24 bit, 50 µg/√Hz (engineering default)
VELOMETER = SensorModel(low=-0.1, high=0.1, bandwidth=4e3, coupling=2.0, anti_alias=True, resolution=0.1 / 2 ** 23,
                        noise_density=2e-7)
# piezo velocity sensor, ±100 mm/s (engineering default)


def reading(moment: Moment, true: NDArray[Any], model: SensorModel, rng: np.random.Generator) -> Trace:
    """What an instrument makes of a waveform in SI, in the unit of the line's sensor; losses and clock are that sensor's."""
    model = replace(model, dropout=moment.sensor.dropout, clock_offset=moment.sensor.clock_offset)
    trace = sensor.window(true, moment.sensor.window_rate, moment.sensor, model, rng, start=moment.start)
    scale, offset = UNITS[quantity(moment.sensor.channel, moment.station.kind).unit][moment.sensor.unit]
    return replace(trace, values=trace.values * np.float32(scale) + np.float32(offset))


def bearing_faults(moment: Moment, machine: Machine, kind: str, module: str | None = None) -> tuple[Machine, dict[str, float]]:
    """The specimen that runs now, and its faults: a drift's severity is that of a spall on the ring that this part fails at."""
    faults: dict[str, float] = {}
    drifts = moment.drifts(kind, module)
    if not drifts:
        return fitted(machine, moment.specimen(f"{moment.station.station}/{machine.name}/{module or ''}")), faults
    for drift, severity in drifts.items():
        rng = moment.specimen(drift)
        specimen = fitted(machine, rng)
        part = PARTS[bisect(SPALLED, rng.random())]
        faults[part] = max(faults.get(part, 0.0), severity)
        faults["looseness"] = max(faults.get("looseness", 0.0), PLAY * severity)
    return specimen, faults


def blower(moment: Moment) -> Running:
    """The blower of the sensor's zone. All its sensors meet the same turns and the same strikes; friction slows it down."""
    specimen, faults = bearing_faults(moment, BLOWER, "zone_blower_bearing", moment.module)
    rng = moment.machine()
    return running(specimen, faults, rng, speed=BLOWER.speed * blower_turns(moment), start_phase=2 * np.pi * rng.random())


def blower_turns(moment: Moment) -> float:
    """Speed of the blower of the sensor's zone over its nominal one [1], as its bearing lets it."""
    turns = 1.0
    for drift, severity in moment.drifts("zone_blower_bearing", moment.module).items():
        turns *= 1 - parameters(of(moment, drift))["speed_loss"] * severity
    return turns


def belt(moment: Moment) -> Running:
    """A conveyor's drive, likewise. A drift that shakes the belt less than usual has a smaller spall."""
    specimen, faults = bearing_faults(moment, CONVEYOR, "conveyor_bearing")
    usual = KINDS["conveyor_bearing"].parameters["shake"].default
    most = max((parameters(of(moment, d))["shake"] for d in moment.drifts("conveyor_bearing")), default=usual)
    faults = {part: min(severity * most / usual, 1.0) for part, severity in faults.items()}
    rng = moment.machine()
    return running(specimen, faults, rng, start_phase=2 * np.pi * rng.random())


def belt_shake(moment: Moment) -> float:
    """Acceleration RMS of the belt [m/s²], as its history has it."""
    knocks = sum(parameters(of(moment, d))["shake"] * s for d, s in moment.drifts("conveyor_bearing").items())
    return float(couplings.shake(knocks))


def condition(moment: Moment, kind: str, module: str | None = None) -> float:
    """Severity [1] of a part with all its drifts of a kind."""
    return float(couplings.combined(*(np.asarray(s) for s in moment.drifts(kind, module).values())))


def of(moment: Moment, drift: str) -> Drift:
    """A drift of the line by its id."""
    return next(d for d in moment.line.drifts if d.id == drift)


__all__ = ["ACCELEROMETER", "VELOMETER", "bearing_faults", "belt", "belt_shake", "blower", "blower_turns", "condition", "of",
           "reading"]
