"""vibration: the acceleration of a machine's housing, from its rotor, bearings, gears and belts through its structure.

Forces come first. Those locked to the shaft repeat every two turns, so their steady answer is one table over two turns, looked
up at the shaft's angle; impacts and noise go through the modes one by one. That is why the cost hardly depends on the faults.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from generators.traces import bearings, gears, rotor, structure
from generators.traces.bearings import Bearing
from generators.traces.gears import Gear
from generators.traces.structure import HORIZONTAL, Mode
from scenes.errors import InputError

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

FINE = 64                                      # [values] at least per period in a table: 0.1 % by linear interpolation
SMALLEST = 1 << 11                             # [values] in a table of two turns
KNOT = 128                                     # [readings] over which the speed is held
BLOCK = 1 << 14                                # [readings] worked on at once: stays in the cache
LOADED = (0.5, 0.8, 0.3)                       # [1] direction of strikes and rolling noise: down, a little across and along
WORST_GRADE = 0.1                              # [m/s] G100 at severity 1 of unbalance (engineering default)
RIPPLES = 3                                    # tones of which the speed's ripple is made
RIPPLE_WORN = 4.0                              # [1] more ripple with a failed bearing (engineering default)

FAULTS = (*bearings.PARTS, "unbalance", "misalignment", "looseness", "gear_tooth", "gear_wear", "belt", "roughness")


@dataclass(frozen=True)
class Knock:
    """Something that knocks once per turn of something else: a belt's splice, a roller with a flat."""
    ratio: float                               # [1] of the shaft's speed
    impulse: float                             # [N s] in good order
    jitter: float = 0.01                       # [1] of its period


@dataclass(frozen=True)
class Machine:
    """A machine as its accelerometer knows it. ``fitted`` draws what differs from one specimen to the next."""
    name: str
    speed: float                               # [Hz] rated, of the shaft
    rotor: float                               # [kg]
    modes: tuple[Mode, ...]
    bearing: Bearing | None = None
    angle: float = 0.0                         # [rad] effective contact angle of the bearing
    slip: float = 0.01                         # [1] of the bearing
    clearance: float = 0.5                     # [1] ε of the bearing's load zone; above 0.5 it is preloaded
    grade: float = 6.3e-3                      # [m/s] ISO 21940 balance quality: G6.3 for fans
    coupling: float = 0.0                      # [N] radial 2× force at severity 1 of misalignment; 0: nothing to misalign
    gear: Gear | None = None
    knocks: tuple[Knock, ...] = ()
    roughness: float = 1e-3                    # [N/√Hz] white force of rolling and of air at the rated speed
    ripple: float = 1e-3                       # [1] RMS of the speed about its mean


def fitted(machine: Machine, rng: np.random.Generator) -> Machine:
    """One specimen: contact angle uniform in 0 … 12°, slip in 0.5 … 2 % (reference 5.2), rest unbalance within its grade."""
    angle, slip, grade = rng.uniform(0, bearings.LARGEST_ANGLE), rng.uniform(*bearings.SLIP), rng.uniform(0.3, 1.0)
    return replace(machine, angle=float(angle), slip=float(slip), grade=machine.grade * float(grade))


def vibration(machine: Machine, faults: Mapping[str, float], rate: float, count: int, rng: np.random.Generator, *,
              speed: float | None = None, load: float = 1.0, start_phase: float = 0.0, direction: int = HORIZONTAL) -> F32:
    """Acceleration [m/s²] of the housing in one direction, shape (count,). Arguments as of ``motion``."""
    one: F32 = motion(machine, faults, rate, count, rng, speed=speed, load=load, start_phase=start_phase,
                      directions=(direction,))[0]
    return one


def motion(machine: Machine, faults: Mapping[str, float], rate: float, count: int, rng: np.random.Generator, *,
           speed: float | None = None, load: float = 1.0, start_phase: float = 0.0,
           directions: tuple[int, ...] = (0, 1, 2)) -> F32:
    """Acceleration [m/s²] of the housing in several directions, shape (D, count).

    Args:
        faults: Severity 0 … 1 by name, of ``FAULTS``; what is not named is sound.
        rate: [Hz].
        count: Number of readings.
        rng: Its children are used, one per cause: a fault that is added does not change what the others draw.
        speed: [Hz] of the shaft; the rated one by default.
        load: [1] of the rated one, on bearings and gears.
        start_phase: [rad] of the shaft at the first reading.
        directions: 0 horizontal, 1 vertical, 2 axial.

    Raises:
        InputError: a fault that is unknown or that this machine cannot have; a severity outside 0 … 1.
    """
    check(machine, faults)
    turning, rolling, foot, noisy, knocking = rng.spawn(5)
    speed = machine.speed if speed is None else speed
    worn = sum(faults.get(part, 0.0) for part in bearings.PARTS)
    way = _turns(replace(machine, ripple=machine.ripple * (1 + RIPPLE_WORN * worn)), rate, count, speed, start_phase, turning)
    out = np.zeros((len(directions), count), np.float32)
    _locked(out, machine, faults, way, rate, speed, load, foot, directions)
    _struck(out, machine, faults, way, rate, speed, load, rolling, knocking, noisy, directions)
    return out


def check(machine: Machine, faults: Mapping[str, float]) -> None:
    """Raise InputError for a fault that is unknown or not possible here, or a severity outside 0 … 1."""
    for name, severity in faults.items():
        where = f"fault '{name}' of '{machine.name}'"
        if name not in FAULTS:
            raise InputError(f"{where}: unknown; known: {', '.join(FAULTS)}")
        if not 0 <= severity <= 1:
            raise InputError(f"{where}: severity {severity:g} is outside 0 … 1; scale it")
        missing = {"gear_tooth": machine.gear is None, "gear_wear": machine.gear is None, "belt": not machine.knocks,
                   "misalignment": machine.coupling == 0}.get(name, name in bearings.PARTS and machine.bearing is None)
        if missing:
            raise InputError(f"{where}: this machine has none; leave the fault out, or describe the part")


@dataclass(frozen=True, eq=False)
class _Way:
    """The shaft's turns over a window and its run-up."""
    time: F64                                  # (K + 1,) [s] knots, 0 at the first reading
    turns: F64                                 # (K + 1,) [1]
    lead: int                                  # readings of run-up
    angle: F64                                 # (N,) [1] turns at each reading


def _turns(machine: Machine, rate: float, count: int, speed: float, phase: float, rng: np.random.Generator) -> _Way:
    blocks, before = -(-count // KNOT), -(-round(structure.RUN_UP * rate) // KNOT)
    time: F64 = np.arange(-before, blocks + 1, dtype=np.float64) * (KNOT / rate)
    turns = phase / (2 * math.pi) + speed * time
    tone, start = rng.uniform(0.3, 6.0, (RIPPLES, 1)), rng.uniform(0, 2 * math.pi, (RIPPLES, 1))
    swing = speed * machine.ripple * math.sqrt(2 / RIPPLES) / (2 * math.pi * tone)
    turns = turns + (swing * (np.sin(2 * math.pi * tone * time + start) - np.sin(start))).sum(axis=0)
    own = turns[before:]
    angle = (own[:-1, None] + np.diff(own)[:, None] * (np.arange(KNOT) / KNOT)).reshape(-1)[:count]
    return _Way(time, turns, before * KNOT, angle)


def forces(machine: Machine, faults: Mapping[str, float], speed: float, load: float, rng: np.random.Generator) -> rotor.Forces:
    """All forces locked to the shaft: {order: (3,) complex N}."""
    off = rotor.eccentricity(machine.grade + WORST_GRADE * faults.get("unbalance", 0.0), machine.speed)
    parts = [rotor.unbalance(machine.rotor, off, speed)]
    if faults.get("misalignment"):
        parts.append(rotor.misalignment(machine.coupling * faults["misalignment"]))
    if faults.get("looseness"):
        parts.append(rotor.looseness(rotor.GRAVITY * machine.rotor * faults["looseness"], rng))
    if machine.gear:
        parts.append(gears.mesh(machine.gear, load, faults.get("gear_wear", 0.0)))
    total: dict[float, NDArray[np.complex128]] = {}
    for part in parts:
        for order, force in part.items():
            total[order] = total.get(order, 0) + force
    return total


def _locked(out: F32, machine: Machine, faults: Mapping[str, float], way: _Way, rate: float, speed: float, load: float,
            rng: np.random.Generator, directions: tuple[int, ...]) -> None:
    """Add the steady answer to forces that are locked to the shaft."""
    found = {k: f for k, f in forces(machine, faults, speed, load, rng).items() if k * speed < rate / 2}
    if not found:
        return
    order = np.array(list(found))
    half = np.rint(2 * order).astype(np.intp)
    size = max(SMALLEST, 1 << int(FINE * half.max() - 1).bit_length())
    answer = structure.accelerance(machine.modes, order * speed, np.stack(list(found.values())))
    spectrum = np.zeros((len(directions), size // 2 + 1), np.complex64)
    spectrum[:, half] = answer[:, list(directions)].T * (size / 2)
    table = fft.irfft(spectrum, size, axis=1)
    slope = np.roll(table, -1, axis=1) - table
    for begin in range(0, out.shape[1], BLOCK):
        at = way.angle[begin:begin + BLOCK] * (size / 2)
        low = np.floor(at)
        share, index = (at - low).astype(np.float32), low.astype(np.intp) & (size - 1)
        for row, values, step in zip(out, table, slope, strict=True):
            row[begin:begin + BLOCK] += values[index] + step[index] * share


def _struck(out: F32, machine: Machine, faults: Mapping[str, float], way: _Way, rate: float, speed: float, load: float,
            rolling: np.random.Generator, knocking: np.random.Generator, noisy: np.random.Generator,
            directions: tuple[int, ...]) -> None:
    """Add impacts and noise, mode by mode."""
    count = out.shape[1] + way.lead
    span = (float(way.turns[0]), float(way.turns[-1]))
    angle, impulse = [], []
    for part, stream in zip(bearings.PARTS, rolling.spawn(len(bearings.PARTS)), strict=True):
        if machine.bearing and faults.get(part):
            hits = bearings.impacts(machine.bearing, part, faults[part], span, speed, stream, angle=machine.angle,
                                    slip=machine.slip, load=load, clearance=machine.clearance)
            angle.append(hits.angle / (2 * math.pi))
            impulse.append(hits.impulse)
    knocks = [replace(k, impulse=k.impulse * (1 + 9 * faults.get("belt", 0.0))) for k in machine.knocks]
    if machine.gear and faults.get("gear_tooth"):
        knocks.append(Knock(1.0, machine.gear.impulse * load * faults["gear_tooth"], 0.0))
    for knock in knocks:
        where = np.arange(math.floor(span[0] * knock.ratio), span[1] * knock.ratio + 1) + knocking.random()
        angle.append((where + knock.jitter * knocking.standard_normal(len(where))) / knock.ratio)
        impulse.append(knock.impulse * np.exp(0.1 * knocking.standard_normal(len(where))))
    worn = sum(faults.get(p, 0.0) for p in bearings.PARTS)
    rough = 1 + worn + 3 * faults.get("looseness", 0.0) + 6 * faults.get("roughness", 0.0)      # engineering defaults
    level = machine.roughness * rough * speed / machine.speed
    drive = noisy.standard_normal(count, dtype=np.float32)
    drive *= np.float32(level * math.sqrt(rate / 2) / rate)                # [N/√Hz] over half the rate, as an impulse per reading
    if angle:
        times = np.interp(np.concatenate(angle), way.turns, way.time) + way.lead / rate
        structure.strike(drive, times, np.concatenate(impulse), rate)
    out += structure.answer(machine.modes, LOADED, drive, rate, directions)[:, way.lead:]


__all__ = ["FAULTS", "Knock", "Machine", "check", "fitted", "forces", "motion", "vibration"]
