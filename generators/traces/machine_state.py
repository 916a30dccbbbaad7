"""machine_state: one machine while it is recorded: its specimen, its motion and its sound, which several channels need.

A specimen is drawn once (contact angles, slip, rest unbalance, phases); everything else is a function of it and of the operating
point. What is expensive is made once per rate.
"""
from __future__ import annotations

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from generators.traces import acoustics, bearings, operating, rotor, structure, vibration
from generators.traces.cavitation import band, boiling
from generators.traces.kept import frequencies, kept
from generators.traces.operating import Operating
from generators.traces.rooms import Room, impulse_response
from generators.traces.thermal import lag
from generators.traces.tones import tones
from generators.traces.turning import Turning, add_locked, turning
from scenes.constants import GRAVITY
from scenes.machines.machine import Machine
from scenes.machines.model import DIRECTIONS, AirCompressor, Fan, Pump

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
C64 = NDArray[np.complex64]

SLOWER = 8                                     # [1] readings for one where only steady tones are made
RIPPLE = 2e-4                                  # [1] of the speed of a motor on the mains
MAGNETIC = 0.05                                # [1] pull at twice the mains over the rotor's weight (engineering default)
DUCT = {"pump": 3.0, "fan": 12.0}              # [m/s] in the pipe: its area takes up the pulsation (engineering default)
TURBULENCE = 0.004                             # [1] standard deviation of flow, over seconds (engineering default)
STROKE_JITTER = 0.002                          # [1] of the time between strokes (engineering default)


@dataclass(frozen=True, eq=False)
class Draw:
    """What differs from one specimen and one record to the next."""
    specimens: Mapping[str, vibration.Machine]   # by bearing
    seeds: Mapping[str, Mapping[str, int]]     # by bearing and cause
    way: Turning                               # of the shaft, at the rated speed
    phase: float                               # [rad] of the shaft at the first value
    mains: float                               # [rad]
    share: float                               # [1] of a compressor's cycle
    strokes: int                               # seed of a compressor's knocks
    cavitation: int
    hall: int
    fan: int
    slow: int


class State:
    """One machine while it is recorded; what several channels need is made once."""

    def __init__(self, machine: Machine, wrong: Mapping[tuple[str, str], float], point: Operating, draw: Draw,
                 duration: float) -> None:
        self.machine, self.wrong, self.point, self.draw, self.duration = machine, wrong, point, draw, duration
        self.motion = lru_cache(maxsize=None)(self._motion)
        self.drive = lru_cache(maxsize=None)(self._drive)
        self.boiling = lru_cache(maxsize=None)(self._boiling)
        self.heard = lru_cache(maxsize=None)(self._heard)
        self.running = self._running()

    def count(self, rate: float) -> int:
        """Values of a channel."""
        return round(self.duration * rate)

    def times(self, rate: float) -> F64:
        """[s] of a channel's values, 0 at the first."""
        found: F64 = np.arange(self.count(rate)) / rate
        return found

    def directions(self, place: str, rate: float) -> tuple[int, ...]:
        """Those in which accelerometers ask for the motion of a housing."""
        return tuple(sorted({DIRECTIONS.index(s.direction) for s in self.machine.sensors
                             if s.quantity == "vibration" and s.place == place and s.rate == rate}))

    def acceleration(self, place: str, rate: float, direction: int) -> F32:
        """Acceleration [m/s²] of a bearing's housing, (N,)."""
        found: F32 = self.motion(place, rate)[self.directions(place, rate).index(direction)]
        return found

    def _running(self) -> dict[str, vibration.Running]:
        """Every bearing's housing, all on one shaft, which a motor on the mains keeps turning evenly whatever a bearing does."""
        wrong, draw = self.wrong, self.draw
        faults = {place: {kind.removeprefix("bearing_"): s for (kind, where), s in wrong.items()
                          if where == place or kind in ("unbalance", "misalignment", "looseness")} for place in draw.specimens}
        way = replace(draw.way, speed=self.point.speed)
        for place, specimen in draw.specimens.items():
            vibration.check(specimen, faults[place])
        return {place: vibration.Running(specimen, faults[place], self.point.load, way, draw.seeds[place])
                for place, specimen in draw.specimens.items()}

    def _forces(self, place: str) -> rotor.Forces:
        """Forces [N] on a housing that are locked to the shaft: those of the rotor and of the blades."""
        point, fluid = self.point, self.machine.fluid
        found = vibration.forces(self.running[place])
        if isinstance(fluid, Pump | Fan):
            force = math.sqrt(2.0) * fluid.pulsation * point.rise * point.flow / DUCT[self.machine.type]
            found = rotor.together([found, {float(_blades(fluid)): np.array([force, force, 0], np.complex128)}])
        return found

    def _drive(self, place: str, rate: float) -> F32:
        """Impulses [N s] on a housing after the run-up: its bearing, rolling, flow, and pistons that knock while they deliver."""
        found = vibration.drive(self.running[place], rate, self.count(rate))
        times, impulses = self.strokes
        if len(times):
            structure.strike(found, times + vibration.lead(rate) / rate, impulses, rate)
        return found

    @cached_property
    def strokes(self) -> tuple[F64, F64]:
        """Times [s] from the run-up on, and impulses [N s], of a compressor's pistons; the same at every housing."""
        fluid, supply, run = self.machine.fluid, self.point.supply, next(iter(self.running.values()))
        if not isinstance(fluid, AirCompressor) or supply is None:
            return np.empty(0), np.empty(0)
        knocks = (vibration.Knock(float(fluid.cylinders), fluid.stroke, STROKE_JITTER),)
        pistons = replace(run, machine=replace(run.machine, bearing=None, knocks=knocks), faults={},
                          seeds={"knocking": self.draw.strokes})
        times, impulses = vibration.strikes(pistons, self.duration)
        loaded = supply.is_loaded(times)
        return times[loaded], impulses[loaded]

    def _boiling(self, rate: float) -> F32 | None:
        """White noise of a pump's cavitation after the run-up, for all housings; None where it does not cavitate."""
        fluid, draw, point = self.machine.fluid, self.draw, self.point
        if not isinstance(fluid, Pump):
            return None
        before = vibration.lead(rate)
        phase = fluid.vanes * draw.phase - 2 * math.pi * point.blade_pass * before / rate
        return boiling(before + self.count(rate), rate, np.random.default_rng(draw.cavitation), point.cavitation,
                       point.blade_pass, phase, operating.pump_cavitation(fluid))

    def _pull(self, count: int, rate: float, direction: int) -> F32:
        """Acceleration [m/s²] of every housing by the magnetic pull at twice the mains, (count,)."""
        machine, frequency = self.machine, 2 * self.machine.drive.mains
        pull = MAGNETIC * GRAVITY * machine.rotor.mass
        moved = complex(structure.accelerance(self.modes, np.array([frequency]), np.array([[pull, pull, 0j]]))[0, direction])
        lines = [(frequency, abs(moved), 2 * self.draw.mains + cmath.phase(moved))] if frequency < rate / 2 else []
        return tones(count, rate, lines).astype(np.float32)

    @property
    def modes(self) -> tuple[structure.Mode, ...]:
        """Of every housing."""
        return next(iter(self.draw.specimens.values())).modes

    def _motion(self, place: str, rate: float) -> F32:
        """Acceleration [m/s²] of a bearing's housing in its directions, (D, N)."""
        run, ways, count, before = self.running[place], self.directions(place, rate), self.count(rate), vibration.lead(rate)
        size, white = vibration.length(rate, count), self.boiling(rate)
        spectrum = structure.lines(self.modes, vibration.LOADED, self.drive(place, rate), rate, ways)
        if white is not None:
            spectrum += rfft(white, size) * band(size, rate)
        out: F32 = irfft(spectrum, size, axis=1)[:, before:before + count]
        add_locked(out, *vibration.answers(self.modes, self._forces(place), run.way.speed, rate / 2, ways), run.way, rate)
        for row, way in zip(out, ways, strict=True):
            row += self._pull(count, rate, way)
            row -= row.mean()                                             # it stays where it is: no mean acceleration
        return out

    def _heard(self, position: tuple[float, float, float], rate: float) -> F64:
        """Sound pressure [Pa] at a place in the room, (N,): housings through the room, and the hall, in one spectrum.

        Housings are alike but for what drives them, so their drives and forces are summed first.
        """
        machine, where, count, way = self.machine, self.machine.surroundings, self.count(rate), self.shaft
        radiator, before = acoustics.Radiator(where.area / len(machine.bearings)), vibration.lead(rate)
        driven: F32 = np.sum([self.drive(b.id, rate)[before:] for b in machine.bearings], axis=0)
        spectrum = rfft(driven) * structure.transfer(count, rate, self.modes, vibration.LOADED, (0,))[0]
        white = self.boiling(rate)
        if white is not None:
            spectrum += rfft(white[before:]) * (band(count, rate) * np.float32(len(machine.bearings)))
        forces = rotor.together([self._forces(b.id) for b in machine.bearings])
        orders, locked = vibration.answers(self.modes, forces, way.speed, rate / 2, (0,))
        if isinstance(machine.fluid, Fan):
            radiated = acoustics.radiation(np.array([machine.fluid.blades * way.speed]), radiator)
            locked[orders == machine.fluid.blades] += _blade_tone(self.point) / radiated
        # steady tones are low: so few readings of them will do
        highest = max(2 * machine.drive.mains, float(orders.max(initial=0.0)) * way.speed)
        every = SLOWER if count % SLOWER == 0 and highest < 0.4 * rate / SLOWER else 1
        steady = self._pull(count // every, rate / every, 0) * np.float32(len(machine.bearings))
        add_locked(steady[None], orders, locked, way, rate / every)
        spectrum[:len(steady) // 2 + 1] += rfft(steady) * np.float32(every)
        spectrum *= _radiated(count, rate, radiator)
        if isinstance(machine.fluid, Fan):
            spectrum += acoustics.pink_lines(count, rate, np.random.default_rng(self.draw.fan), _blade_level(self.point), 50.0)
        spectrum *= _echoes(count, rate, Room(where.size, where.absorption), where.machine, position)
        # microphones hear the same hall at the same time, each with its own mixture of it
        rng, hall = np.random.default_rng([self.draw.hall, *(round(x * 1000) for x in position)]), acoustics.Hall(where.noise)
        spectrum += acoustics.hall_lines(count, rate, rng, hall)
        found: F64 = acoustics.hall_tones(count, rate, rng, hall)
        found += irfft(spectrum, count)
        return found

    @property
    def shaft(self) -> Turning:
        """How it turns."""
        return next(iter(self.running.values())).way

    def turbulence(self, rate: float) -> F64:
        """Relative fluctuation of the flow, (N,): one course for pressure and flow, drawn at 20 Hz, smooth over half a second."""
        rng = np.random.default_rng(self.draw.slow)
        knots = math.ceil(self.duration * 20) + 2
        shocks = rng.standard_normal(knots + 60)
        slow = lag(shocks, 20.0, 0.5)[60:] * (TURBULENCE / math.sqrt((1 - math.exp(-0.1)) / (1 + math.exp(-0.1))))
        found: F64 = np.interp(self.times(rate), np.arange(knots) / 20.0, slow)
        return found

    def kinematics(self, place: str) -> dict[str, float]:
        """Frequencies [Hz] of one bearing at its effective contact angle. ``ball`` is 2 × BSF: a spall strikes both rings."""
        specimen = self.draw.specimens[place]
        assert specimen.bearing is not None
        of, speed = bearings.orders(specimen.bearing, specimen.angle), self.point.speed
        return {"cage": of.cage * speed, "outer": of.outer * speed, "inner": of.inner * speed, "ball": 2 * of.spin * speed}


@kept
def _radiated(count: int, rate: float, radiator: acoustics.Radiator) -> C64:
    return acoustics.radiation(frequencies(count, rate), radiator).astype(np.complex64)


@kept
def _echoes(count: int, rate: float, room: Room, source: tuple[float, float, float], ear: tuple[float, float, float]) -> C64:
    """Spectrum of a room's impulse response as one period of ``count`` values sees it."""
    return rfft(acoustics.folded(impulse_response(room, source, ear, rate), count)).astype(np.complex64)


def _blades(fluid: Pump | Fan) -> int:
    return fluid.vanes if isinstance(fluid, Pump) else fluid.blades


def _blade_level(point: Operating) -> float:
    """Sound pressure level [dB] of a fan's air noise at 1 m: L_W = 37 + 10·lg q + 20·lg Δp (VDI 2081)."""
    return acoustics.free_field_level(37 + 10 * math.log10(point.flow) + 20 * math.log10(point.rise), 1.0)


def _blade_tone(point: Operating) -> float:
    """Source [Pa at 1 m] of a fan's blades: 4 dB more in their octave (VDI 2081)."""
    octave = _blade_level(point) - 10 * math.log10(8)                     # an eighth of the power is in an octave
    return math.sqrt(2.0) * acoustics.rms_pressure(octave + 4)


def draw_specimen(machine: Machine, rng: np.random.Generator) -> Draw:
    """Always the same number of draws for the same bearings: a fault changes no specimen."""
    modes = tuple(structure.Mode(m.frequency, m.damping, m.mass, m.shape) for m in machine.modes)
    specimens, seeds = {}, {}
    for b in machine.bearings:
        geometry = bearings.Bearing(b.type, b.elements, b.ball, b.pitch, b.angle)
        rotor = machine.rotor
        plain = vibration.Machine(
            f"{machine.id}/{b.id}", machine.drive.speed(machine.load), rotor.mass / len(machine.bearings), modes, geometry,
            grade=rotor.grade, coupling=rotor.coupling, roughness=rotor.roughness, ripple=RIPPLE)
        specimens[b.id] = vibration.fitted(plain, rng)
        seeds[b.id] = vibration.cause_seeds(rng)
    phase, mains, share = rng.uniform(0, 2 * math.pi), rng.uniform(0, 2 * math.pi), rng.random()
    rest = [int(x) for x in rng.integers(1 << 62, size=5)]
    way = turning(machine.drive.speed(machine.load), phase, RIPPLE, rng)
    return Draw(specimens, seeds, way, phase, mains, share, *rest)


__all__ = ["Draw", "State", "draw_specimen"]
