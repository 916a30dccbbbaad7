"""sensor: what a sensor makes of a true signal: filter, noise, range, steps, lost readings and a clock that is off.

In that order, as in the instrument. Two speeds: ``history`` for readings once a second, where filters do not matter and
hundreds of millions of values do, and ``measured`` for windows of some ten thousand readings a second.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from generators.traces.normals import normals
from scenes.line.model import Sensor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

MAX_VALUES = 1 << 24                           # of one fast channel at a time: 11 minutes at 25.6 kHz
HEADROOM = 4.0                                 # [1] transducer and coupling together raise no peak by more
FAINT = 1e-30                                  # [unit] keeps filters of a silent channel off subnormal numbers: 30 times slower
BLOCK = 1 << 15                                # [readings] worked on at once: stays in the cache
PASS = 0.78125                                 # [1] of half the sample rate: 10 kHz at 25.6 kHz, the rule fs = 2.56 · bandwidth
RIPPLE, STOP = 0.05, 80.0                      # [dB] in the pass band; beyond the stop edge (engineering default: 16 bit)


@dataclass(frozen=True)
class SensorModel:
    """How a sensor errs. All levels are in the unit of its channel. The defaults err nowhere."""
    low: float = -math.inf                     # range
    high: float = math.inf
    bandwidth: float = math.inf                # [Hz] −3 dB, second order: the transducer itself
    coupling: float = 0.0                      # [Hz] −3 dB of the high pass of AC coupling; 0 for DC
    anti_alias: bool = False                   # an elliptic filter before the converter: passes 0.39 of its sample rate
    resolution: float = 0.0                    # step of the quantiser; 0 for none
    noise: float = 0.0                         # standard deviation of each reading
    noise_density: float = 0.0                 # [unit/√Hz] white, one-sided, before the filters
    dropout: float = 0.0                       # [1] share of readings that get lost
    dropout_length: float = 1.0                # [readings] mean length of a loss
    clock_offset: float = 0.0                  # [s] by which its clock is fast
    clock_skew: float = 0.0                    # [1] by which its clock runs fast: 20e-6 is a common quartz

    def stamp_ns(self, time: float) -> int:
        """What its clock says at a true time [s], in nanoseconds."""
        return round((time + self.clock_offset + self.clock_skew * time) * 1e9)


@dataclass(frozen=True, eq=False)
class Trace:
    """One channel over one span of time, as it is stored. NaN where a reading got lost."""
    channel: str
    unit: str
    sample_rate: float                         # [Hz] by the sensor's own clock
    start_ns: int                              # of the first reading, by the sensor's own clock
    values: F32                                # (N,)

    def row(self) -> Mapping[str, Any]:
        """The same as the item of ``Sample.traces`` that the schema of a shard wants."""
        return {"channel": self.channel, "unit": self.unit, "sample_rate": self.sample_rate, "start_ns": self.start_ns,
                "values": self.values}


def model_of(sensor: Sensor) -> SensorModel:
    """The part of a line's sensor that concerns its readings."""
    return SensorModel(low=sensor.low, high=sensor.high, resolution=sensor.resolution, noise=sensor.noise,
                       dropout=sensor.dropout, clock_offset=sensor.clock_offset)


def history(values: NDArray[Any], model: SensorModel | Sensor, rng: np.random.Generator) -> F32:
    """Slow readings of a true signal: noise, range, steps, losses. Filters are passed over: a history is far below them.

    Args:
        values: (N,) true values at the readings, float64 or float32.
        model: Of the sensor; a line's ``Sensor`` will do.
        rng: N normals where there is noise, then two draws per loss.

    Returns:
        (N,) float32, NaN where lost.
    """
    model = model_of(model) if isinstance(model, Sensor) else model
    out = np.empty(len(values), np.float32)
    noise = np.empty(min(BLOCK, len(values)), np.float32)
    for start in range(0, len(values), BLOCK):
        part = out[start:start + BLOCK]
        part[:] = values[start:start + BLOCK]
        if model.noise:
            some = noise[:len(part)]
            rng.standard_normal(dtype=np.float32, out=some)
            some *= np.float32(model.noise)
            part += some
        _convert(part, model)
    out[lost(len(out), model, rng)] = np.nan
    return out


def measured(values: NDArray[Any], rate: float, model: SensorModel, rng: np.random.Generator, *, every: int = 1) -> F32:
    """Fast readings of a true signal: transducer, noise, range, anti-alias filter, converter, losses.

    Args:
        values: (N,) true values, equally spaced, N ≥ 1. Low passes begin as if the first value had been there for ever, AC
            coupling as if their mean had.
        rate: [Hz] of ``values``.
        model: Of the sensor.
        rng: For noise density, noise and losses, in this order.
        every: One reading for so many values. More than 1 filters whatever the model says: else it would alias.

    Returns:
        (⌈N / every⌉,) float32, NaN where lost.
    """
    true = np.array(values, np.float64)
    if model.noise_density:
        true += normals(rng, len(true)) * np.float32(model.noise_density * math.sqrt(rate / 2))
    true[::4] += FAINT
    front = (_transducer(model.bandwidth, rate), _coupling(model.coupling, rate))
    last = anti_alias(every) if model.anti_alias or every > 1 else None
    first, mean = float(true[0]), float(true.mean()) if front[1] is not None else 0.0
    before = (first, mean, first - mean if front[1] is not None else first)
    if HEADROOM * max(-float(true.min()), float(true.max())) < min(model.high, -model.low):
        true = _filter((*front, last), true, before)                       # nothing can saturate: all sections in one go
    else:                                                                  # the amplifier saturates before the filter sees it
        true = np.clip(_filter(front, true, before[:2]), model.low, model.high)
        true = _filter((last,), true, (float(true[0]),))
    out = true[::every].astype(np.float32)
    if model.noise:
        out += normals(rng, len(out)) * np.float32(model.noise)
    _convert(out, model)
    gone = lost(len(out), model, rng)
    if len(gone):
        out[gone] = np.nan
    return out


def window(values: NDArray[Any], rate: float, sensor: Sensor, model: SensorModel, rng: np.random.Generator, *,
           start: float, every: int = 1, unit: str = "") -> Trace:
    """A fast window of a line's channel as a trace. ``start`` [s] is the true time of the first value; other arguments as above.

    A clock that is off moves the stamp and the stated rate, never the values.
    """
    return Trace(sensor.channel, unit or sensor.unit, rate / every / (1 + model.clock_skew), model.stamp_ns(start),
                 measured(values, rate, model, rng, every=every))


def lost(count: int, model: SensorModel, rng: np.random.Generator) -> NDArray[np.intp]:
    """Indices of lost readings: a chain of two states (Gilbert 1960). Losses of mean length 1 / (1 − share) are independent."""
    share = model.dropout
    if share <= 0:
        return np.empty(0, np.intp)
    if share >= 1:
        return np.arange(count)
    bad = max(model.dropout_length, 1 / (1 - share))                       # mean lengths of the two states
    good = bad * (1 - share) / share
    runs = int(count / (bad + good) + 6 * math.sqrt(count / (bad + good)) + 16)
    first = rng.random() < share                                           # begins inside a loss
    clear, gone = rng.geometric(1 / good, runs), rng.geometric(1 / bad, runs)
    if first:
        clear[0] = 0
    ends = np.cumsum(clear + gone)
    begins = ends - gone
    mark = np.zeros(count + 1, np.int8)
    inside = begins < count
    mark[begins[inside]] += 1
    mark[np.minimum(ends[inside], count)] -= 1
    return np.flatnonzero(np.cumsum(mark[:-1], dtype=np.int8))


@lru_cache(maxsize=64)
def anti_alias(every: int) -> F64:
    """Elliptic low pass of order 8 as second-order sections, for a converter that takes one of ``every`` values.

    Flat to 0.05 dB up to 0.39 of the converter's rate, and 80 dB down above 0.61 of it: what folds back falls above 0.39.
    """
    sections: F64 = signal.ellip(8, RIPPLE, STOP, PASS / every, output="sos")
    sections[0, :3] *= 10 ** (RIPPLE / 20)                                 # else a level would come out 0.6 % low
    return sections


@lru_cache(maxsize=64)
def _transducer(bandwidth: float, rate: float) -> F64 | None:
    if bandwidth >= 0.45 * rate:                                           # next to half the rate: the anti-alias filter rules
        return None
    sections: F64 = signal.butter(2, bandwidth, fs=rate, output="sos")
    return sections


@lru_cache(maxsize=64)
def _coupling(corner: float, rate: float) -> F64 | None:
    if corner <= 0:
        return None
    sections: F64 = signal.butter(1, corner, "highpass", fs=rate, output="sos")
    return sections


def _filter(stages: Sequence[F64 | None], values: F64, before: Sequence[float]) -> F64:
    """Filter (N,) by several stages in a row, each as if its value of ``before`` had been there for ever; None passes."""
    some = [(sections, level) for sections, level in zip(stages, before, strict=True) if sections is not None]
    if not some:
        return values
    state = np.concatenate([_settled(sections.tobytes()) * level for sections, level in some])
    out: F64 = signal.sosfilt(np.concatenate([sections for sections, _ in some]), values, zi=state)[0]
    return out


@lru_cache(maxsize=64)
def _settled(sections: bytes) -> F64:
    """State of a filter after 1 for ever; by the bytes of its sections, since working it out costs more than filtering."""
    state: F64 = signal.sosfilt_zi(np.frombuffer(sections).reshape(-1, 6))
    return state


def _convert(values: F32, model: SensorModel) -> None:
    """Range and mid-tread steps, in place: multiples of the resolution, the outermost ones inside the range."""
    step = model.resolution
    if step <= 0:
        if math.isfinite(model.low) or math.isfinite(model.high):
            np.clip(values, model.low, model.high, out=values)
        return
    values *= np.float32(1 / step)
    np.rint(values, out=values)
    if math.isfinite(model.low) or math.isfinite(model.high):
        np.clip(values, np.float32(math.ceil(model.low / step - 1e-6)) if math.isfinite(model.low) else None,
                np.float32(math.floor(model.high / step + 1e-6)) if math.isfinite(model.high) else None, out=values)
    values *= np.float32(step)


__all__ = ["MAX_VALUES", "SensorModel", "Trace", "anti_alias", "history", "lost", "measured", "model_of", "window"]
