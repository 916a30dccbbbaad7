"""readings: what the slow channels of a run read, hour by hour.

A reading belongs to the run, not to who looks at it: whoever asks for the same second sees the same value. Channels are
therefore made in whole hours, each from a stream of its own.
"""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from generators.traces.sensor import history
from scenes.line.model import Run, Sensor
from scenes.line.quantities import true_values
from scenes.line.streams import stream

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
HOUR = 3600.0                                  # [s]


def hour_of(run: Run, sensor: Sensor, hour: int, seed: int) -> tuple[F64, F32]:
    """One channel in one whole hour of the run: times [s], by the run's clock, and readings, NaN where one got lost."""
    times = hour * HOUR + np.arange(max(math.floor(HOUR * sensor.rate), 1)) / sensor.rate
    rng = stream(seed, "reading", sensor.channel, str(hour))
    return times, history(true_values(run.line, run, sensor, times, rng), sensor, rng)


def between(run: Run, sensor: Sensor, begin: float, end: float, seed: int) -> tuple[F64, F32]:
    """One channel with begin ≤ time ≤ end [s]."""
    parts = [hour_of(run, sensor, h, seed) for h in range(int(max(begin, 0) // HOUR), int(max(end, 0) // HOUR) + 1)]
    times, values = (np.concatenate([p[k] for p in parts]) for k in (0, 1))
    keep = (times >= begin) & (times <= end)
    return times[keep], values[keep]


def all_hours(run: Run, sensors: Sequence[Sensor], seed: int) -> Iterator[tuple[F64, F32]]:
    """Channels that share one rate, side by side: times (n,) and readings (n, C), an hour at a time, up to the run's end."""
    for hour in range(math.ceil(run.duration / HOUR)):
        made = [hour_of(run, s, hour, seed) for s in sensors]
        times = made[0][0]
        keep = times < run.duration
        yield times[keep], np.stack([values for _, values in made], axis=1)[keep]


__all__ = ["HOUR", "all_hours", "between", "hour_of"]
