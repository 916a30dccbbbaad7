"""vibration: the acceleration of a machine's housing, from its rotor, bearings, gears and belts through its structure.

Forces come first. Those locked to the shaft repeat every two turns, so their steady answer is one table over two turns, looked
up at the shaft's angle; impacts and noise go through all modes in one spectrum. The cost hardly depends on the faults.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from generators.traces import bearings, gears, rotor, structure
from generators.traces.bearings import Bearing
from generators.traces.gears import Gear
from generators.traces.kept import frequencies, kept
from generators.traces.normals import normals
from generators.traces.structure import HORIZONTAL, Mode
from generators.traces.turning import Turning, add_locked, turning
from scenes.constants import GRAVITY
from scenes.errors import InputError

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
C64 = NDArray[np.complex64]
C128 = NDArray[np.complex128]
Through = Callable[[F64], Any]                 # [Hz], shape as given, to a complex factor

LOADED = (0.5, 0.8, 0.3)                       # [1] direction of strikes and rolling noise: down, a little across and along
WORST_GRADE = 0.1                              # [m/s] G100 at severity 1 of unbalance (engineering default)
KNOCKS_DIFFER = 0.1                            # [1] σ of the logarithm of their impulses (engineering default)
RIPPLE_WORN = 4.0                              # [1] more ripple with a failed bearing (engineering default)

CAUSES = (*bearings.PARTS, "foot", "noisy", "knocking")
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
        rate: [Hz]. The same generator gives the same turning and the same strikes at every rate.
        count: Number of readings.
        rng: Gives each cause a seed of its own: a fault that is added does not change what the others draw.
        speed: [Hz] of the shaft; the rated one by default.
        load: [1] of the rated one, on bearings and gears.
        start_phase: [rad] of the shaft at the first reading.
        directions: 0 horizontal, 1 vertical, 2 axial.

    Raises:
        InputError: a fault that is unknown or that this machine cannot have; a severity outside 0 … 1.
    """
    return moved(running(machine, faults, rng, speed=speed, load=load, start_phase=start_phase), rate, count, directions)


def moved(run: Running, rate: float, count: int, directions: tuple[int, ...], through: Through | None = None,
          more: C64 | None = None) -> F32:
    """What comes of a machine's acceleration, (D, count).

    Args:
        run: The machine.
        rate: [Hz].
        count: Number of readings.
        directions: 0 horizontal, 1 vertical, 2 axial.
        through: What is made of it on the way, as a factor by frequency [Hz]; None: the acceleration [m/s²] itself.
        more: Noise that is added at the end: its lines, (``length(rate, count)`` // 2 + 1,).
    """
    size, machine = length(rate, count), run.machine
    spectrum = structure.lines(machine.modes, LOADED, drive(run, rate, count), rate, directions)
    if through is not None:
        spectrum *= passed(size, rate, through)
    if more is not None:
        spectrum += more
    out: F32 = fft.irfft(spectrum, size, axis=1)[:, lead(rate):lead(rate) + count]
    add_locked(out, *answers(machine.modes, forces(run), run.way.speed, rate / 2, directions, through), run.way, rate)
    return out


@kept
def passed(count: int, rate: float, through: Through) -> C64:
    """What ``through`` makes of every line of a spectrum; kept, so it should be a function that stays."""
    found: C64 = through(frequencies(count, rate)).astype(np.complex64)
    return found


def length(rate: float, count: int) -> int:
    """[readings] of run-up and window, as they are transformed."""
    return structure.padded(lead(rate) + count)


@dataclass(frozen=True, eq=False)
class Running:
    """A machine at one moment: what is wrong, how it turns, and a seed per cause. Made by ``running``."""
    machine: Machine
    faults: Mapping[str, float]
    load: float                                # [1]
    way: Turning
    seeds: Mapping[str, int]                   # by cause
    turned: float = 1.0                        # [1] on what is locked to the shaft, where ``levels`` sets it
    driven: float = 1.0                        # [1] on strikes and noise, likewise

    @property
    def worn(self) -> float:
        """[1] all spalls together."""
        return sum(self.faults.get(part, 0.0) for part in bearings.PARTS)

    def rng(self, cause: str) -> np.random.Generator:
        """Random numbers of one cause, from the beginning."""
        return np.random.default_rng(self.seeds[cause])


def running(machine: Machine, faults: Mapping[str, float], rng: np.random.Generator, *, speed: float | None = None,
            load: float = 1.0, start_phase: float = 0.0) -> Running:
    """A machine at one moment. Arguments and errors as of ``motion``."""
    check(machine, faults)
    seeds, worn = cause_seeds(rng), sum(faults.get(part, 0.0) for part in bearings.PARTS)
    way = turning(machine.speed if speed is None else speed, start_phase, machine.ripple * (1 + RIPPLE_WORN * worn), rng)
    return Running(machine, faults, load, way, seeds)


def cause_seeds(rng: np.random.Generator) -> dict[str, int]:
    """A seed per cause, of one draw: a fault that is added does not change what the others draw."""
    first = int(rng.integers(1 << 62))
    return {cause: first + k for k, cause in enumerate(CAUSES)}


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


def forces(run: Running) -> rotor.Forces:
    """All forces locked to the shaft: {order: (3,) complex N}."""
    machine, faults = run.machine, run.faults
    off = rotor.eccentricity(machine.grade + WORST_GRADE * faults.get("unbalance", 0.0), machine.speed)
    parts = [rotor.unbalance(machine.rotor, off, run.way.speed)]
    if faults.get("misalignment"):
        parts.append(rotor.misalignment(machine.coupling * faults["misalignment"]))
    if faults.get("looseness"):
        parts.append(rotor.looseness(GRAVITY * machine.rotor * faults["looseness"], run.rng("foot")))
    if machine.gear:
        parts.append(gears.mesh(machine.gear, run.load, faults.get("gear_wear", 0.0)))
    total = rotor.together(parts)
    return total if run.turned == 1 else {order: force * run.turned for order, force in total.items()}


def answers(modes: Sequence[Mode], found: rotor.Forces, speed: float, highest: float, directions: tuple[int, ...],
            through: Through | None = None) -> tuple[F64, C128]:
    """Orders of forces locked to a shaft [Hz] that come below ``highest`` [Hz], (K,), and the acceleration [m/s²] that they
    make, or what ``through`` makes of it: (K, D)."""
    order = np.array([k for k in found if k * speed < highest])
    if not len(order):
        return order, np.empty((0, len(directions)), np.complex128)
    answer = structure.accelerance(modes, order * speed, np.array([found[k] for k in order.tolist()]))[:, list(directions)]
    return order, answer if through is None else answer * through(order * speed)[:, None]


def lead(rate: float) -> int:
    """[readings] of run-up: what strikes in them may still ring in a window."""
    return math.ceil(structure.RUN_UP * rate)


def drive(run: Running, rate: float, count: int) -> F32:
    """Impulses [N s] of strikes and noise along ``LOADED``, per reading, after a run-up: shape (lead + count,)."""
    before = lead(rate)
    level = noise_force(run) * run.driven
    if level:
        found = normals(run.rng("noisy"), before + count)
        found *= np.float32(level * math.sqrt(rate / 2) / rate)            # over half the rate, as an impulse per reading
    else:
        found = np.zeros(before + count, np.float32)
    times, impulses = strikes(run, count / rate)
    if len(times):
        structure.strike(found, times + before / rate, impulses * run.driven, rate)
    return found


def noise_force(run: Running) -> float:
    """[N/√Hz] white, of rolling and of air."""
    faults, machine = run.faults, run.machine
    rough = 1 + run.worn + 3 * faults.get("looseness", 0.0) + 6 * faults.get("roughness", 0.0)      # engineering defaults
    return machine.roughness * rough * run.way.speed / machine.speed


def knocks(run: Running) -> list[Knock]:
    """What knocks once per turn of something else, as its faults let it."""
    machine, faults = run.machine, run.faults
    found = [replace(k, impulse=k.impulse * (1 + 9 * faults.get("belt", 0.0))) for k in machine.knocks]
    if machine.gear and faults.get("gear_tooth"):
        found.append(Knock(1.0, machine.gear.impulse * run.load * faults["gear_tooth"], 0.0))
    return found


def spalls(run: Running, seconds: float) -> dict[bearings.Part, tuple[F64, F64]]:
    """Times [s] of the strikes of every spall from the run-up to ``seconds``, and their impulses [N s]: both (K,)."""
    machine, way, found = run.machine, run.way, {}
    own: list[bearings.Part] = [part for part in bearings.PARTS if machine.bearing and run.faults.get(part)]
    if own:
        time, turns = way.knots(structure.RUN_UP, seconds)
    for part in own:
        assert machine.bearing is not None
        hits = bearings.impacts(machine.bearing, part, run.faults[part], (float(turns[0]), float(turns[-1])), way.speed,
                                run.rng(part), angle=machine.angle, slip=machine.slip, load=run.load, clearance=machine.clearance)
        found[part] = np.interp(hits.angle / (2 * math.pi), turns, time), hits.impulse
    return found


def strikes(run: Running, seconds: float) -> tuple[F64, F64]:
    """Times [s] of all strikes from the run-up to ``seconds``, and their impulses [N s]: both (K,), by cause."""
    own, found = knocks(run), list(spalls(run, seconds).values())
    if own:
        time, turns = run.way.knots(structure.RUN_UP, seconds)
        rng = run.rng("knocking")
    for knock in own:
        where = np.arange(math.floor(turns[0] * knock.ratio), turns[-1] * knock.ratio + 1) + rng.random()
        angle = (where + knock.jitter * rng.standard_normal(len(where))) / knock.ratio
        found.append((np.interp(angle, turns, time), knock.impulse * np.exp(KNOCKS_DIFFER * rng.standard_normal(len(where)))))
    if not found:
        return np.empty(0), np.empty(0)
    return np.concatenate([times for times, _ in found]), np.concatenate([impulses for _, impulses in found])


__all__ = ["CAUSES", "FAULTS", "LOADED", "Knock", "Machine", "Running", "Through", "answers", "cause_seeds", "check", "drive",
           "fitted", "forces", "knocks", "lead", "length", "motion", "moved", "noise_force", "passed", "running", "spalls",
           "strikes", "vibration"]
