"""wearing: what the drifts of a moment are to its machines, and what an instrument makes of a waveform of the line."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.traces import sensor
from generators.traces.bearings import PARTS
from generators.traces.machines import BLOWER
from generators.traces.moment import Moment
from generators.traces.sensor import SensorModel, Trace
from generators.traces.vibration import Machine, fitted
from scenes.line.drifts import parameters
from scenes.line.model import Drift
from scenes.line.quantities import UNITS, quantity

SPALLED = (0.6, 0.3, 0.1, 0.0)                 # [1] outer, inner, ball, cage among failing bearings (engineering default)
PLAY = 1.0                                     # [1] looseness that the play of a failed bearing comes to (engineering default)
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


__all__ = ["ACCELEROMETER", "VELOMETER", "bearing_faults", "blower_speed", "of", "reading"]
