"""rooms: how a shoebox room sounds, by the image sources of pyroomacoustics.

An order too low cuts the decay short: in a room of 5 × 4 × 3 m with absorption 0.2 order 17 measures 0.3 s where Sabine says
0.51 s (domain reference, A2). A decay of 35 dB needs 35 dB / (loss per reflection) reflections, and never fewer than 40.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generators.traces.acoustics import SOUND_SPEED
from scenes.errors import BackendUnavailable, InputError

F64 = NDArray[np.float64]

MIN_ORDER, MAX_ORDER = 40, 160
DECAY = 35.0                                   # [dB] that the image sources must cover: T30 is read between −5 and −35 dB
_FILTER = 81                                   # taps of pyroomacoustics' fractional delays; half of them come before a sound


@dataclass(frozen=True)
class Room:
    """A shoebox with the same energy absorption on every wall. ``order`` 0 chooses the least sufficient one."""
    size: tuple[float, float, float] = (12.0, 8.0, 4.0)       # [m] engineering default: a machine room
    absorption: float = 0.2                    # [1] of the energy, 0.05 … 0.95
    order: int = 0

    @property
    def volume(self) -> float:
        """[m³]"""
        return math.prod(self.size)

    @property
    def surface(self) -> float:
        """[m²]"""
        x, y, z = self.size
        return 2 * (x * y + y * z + z * x)


def sabine(room: Room) -> float:
    """Reverberation time [s] by Sabine: 24·ln 10·V / (c·S·α)."""
    return 24 * math.log(10) * room.volume / (SOUND_SPEED * room.surface * room.absorption)


def eyring(room: Room) -> float:
    """Reverberation time [s] by Eyring."""
    return 24 * math.log(10) * room.volume / (-SOUND_SPEED * room.surface * math.log1p(-room.absorption))


def least_order(absorption: float) -> int:
    """Image-source order below which the decay is cut short."""
    return max(MIN_ORDER, math.ceil(DECAY / (-10 * math.log10(1 - absorption))))


@lru_cache(maxsize=128)
def impulse_response(room: Room, source: tuple[float, float, float], microphone: tuple[float, float, float], rate: float) -> F64:
    """What a microphone hears of a source of 1 Pa at 1 m that clicks once at time 0, shape (M,), read-only.

    Args:
        room: The room; its corner is the origin.
        source: Place [m].
        microphone: Place [m].
        rate: [Hz].

    Returns:
        Direct sound 1/r at r/c, then the reflections.

    Raises:
        InputError: a place outside the room, or an order below :func:`least_order`.
        BackendUnavailable: pyroomacoustics is not there.
    """
    needed = least_order(room.absorption) if 0.05 <= room.absorption <= 0.95 else 0
    if not needed:
        raise InputError(f"room: absorption {room.absorption:g}; give 0.05 to 0.95")
    if min(room.size) < 1.0 or max(room.size) > 200.0:
        raise InputError(f"room: size {room.size} m; give sides of 1 to 200 m")
    order = room.order or needed
    if not needed <= order <= MAX_ORDER:
        raise InputError(f"room: order {order} {'cuts the decay' if order < needed else 'is too much'} at absorption "
                         f"{room.absorption:g}; give {needed} to {MAX_ORDER}, or 0")
    for what, place in (("source", source), ("microphone", microphone)):
        if not all(0 < x < side for x, side in zip(place, room.size, strict=True)):
            raise InputError(f"room: {what} at {place} m is outside {room.size} m; move it inside")
    if math.dist(source, microphone) < 0.05:
        raise InputError(f"room: source and microphone are {math.dist(source, microphone):.3f} m apart; keep 0.05 m")
    try:
        import pyroomacoustics
    except ImportError:
        raise BackendUnavailable("sound in a room: pyroomacoustics is missing; pip install 'linetwin[traces]'") from None
    pyroomacoustics.constants.set("num_threads", 1)                       # sums in one order: the same bytes on any machine
    walls = pyroomacoustics.Material(room.absorption)
    shoebox = pyroomacoustics.ShoeBox(room.size, fs=round(rate), materials=walls, max_order=order)
    shoebox.set_sound_speed(SOUND_SPEED)
    shoebox.add_source(list(source))
    shoebox.add_microphone(list(microphone))
    shoebox.compute_rir()
    found: F64 = np.array(shoebox.rir[0][0][_FILTER // 2:], np.float64)
    found.flags.writeable = False
    return found


def reverberation_time(response: F64, rate: float, top: float = -5.0, bottom: float = -35.0) -> float:
    """[s] for 60 dB by Schroeder's backward integral, fitted between two levels [dB] (ISO 3382-2; −5 and −35: T30)."""
    energy = np.cumsum(np.square(response)[::-1])[::-1]
    level = 10 * np.log10(np.maximum(energy / energy[0], 1e-12))
    first, last = int(np.argmax(level < top)), int(np.argmax(level < bottom))
    slope = np.polyfit(np.arange(first, last) / rate, level[first:last], 1)[0]
    return float(-60 / slope)


__all__ = ["MAX_ORDER", "MIN_ORDER", "Room", "eyring", "impulse_response", "least_order", "reverberation_time", "sabine"]
