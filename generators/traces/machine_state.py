"""machine_state: one machine while it is recorded: its specimen, its motion and its sound, which several channels need.

A specimen is drawn once (contact angles, slip, rest unbalance, phases); everything else is a function of it and of the operating
point. What is expensive is made once per rate.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq

from generators.traces import acoustics, bearings, operating, structure, vibration
from generators.traces.cavitation import cavitation_noise
from generators.traces.operating import Operating
from generators.traces.rooms import Room, impulse_response
from generators.traces.thermal import lag
from generators.traces.tones import tones
from scenes.machines.machine import Machine
from scenes.machines.model import DIRECTIONS, AirCompressor, Fan, Pump

F64 = NDArray[np.float64]
C128 = NDArray[np.complex128]

HEARD_RATE = 25_600.0                          # [Hz] at which levels are listened to
RIPPLE = 2e-4                                  # [1] of the speed of a motor on the mains
MAGNETIC = 0.05                                # [1] pull at twice the mains over the rotor's weight (engineering default)
DUCT = {"pump": 3.0, "fan": 12.0}              # [m/s] in the pipe: its area takes up the pulsation (engineering default)
TURBULENCE = 0.004                             # [1] standard deviation of flow, over seconds (engineering default)
STROKE_JITTER = 0.002                          # [1] of the time between strokes (engineering default)


@dataclass(frozen=True, eq=False)
class Draw:
    """What differs from one specimen and one record to the next."""
    specimens: Mapping[str, vibration.Machine]   # by bearing
    seeds: Mapping[str, int]                   # by bearing
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
        self.cavitation = lru_cache(maxsize=None)(self._cavitation)
        self.heard = lru_cache(maxsize=None)(self._heard)

    def count(self, rate: float) -> int:
        """Values of a channel."""
        return round(self.duration * rate)

    def times(self, rate: float) -> F64:
        """[s] of a channel's values, 0 at the first."""
        found: F64 = np.arange(self.count(rate)) / rate
        return found

    def directions(self, place: str, rate: float) -> tuple[int, ...]:
        """Those in which the motion of a housing is asked for: by its accelerometers, and horizontal by microphones."""
        asked = {DIRECTIONS.index(s.direction) for s in self.machine.sensors
                 if s.quantity == "vibration" and s.place == place and s.rate == rate}
        heard = {0 for s in self.machine.sensors if (s.quantity, s.rate) == ("sound", rate) or
                 (s.quantity == "sound_level" and rate == HEARD_RATE)}
        return tuple(sorted(asked | heard))

    def acceleration(self, place: str, rate: float, direction: int) -> NDArray[np.float32]:
        """Acceleration [m/s²] of a bearing's housing, (N,)."""
        found: NDArray[np.float32] = self.motion(place, rate)[self.directions(place, rate).index(direction)]
        return found

    def _motion(self, place: str, rate: float) -> NDArray[np.float32]:
        """Acceleration [m/s²] of a bearing's housing in its directions, (D, N)."""
        count, point, draw, ways = self.count(rate), self.point, self.draw, self.directions(place, rate)
        specimen = draw.specimens[place]
        faults = {kind.removeprefix("bearing_"): s for (kind, where), s in self.wrong.items()
                  if where == place or kind in ("unbalance", "misalignment", "looseness")}
        out = vibration.motion(specimen, faults, rate, count, np.random.default_rng(draw.seeds[place]), speed=point.speed,
                               load=point.load, start_phase=draw.phase, directions=ways)
        for frequency, force, phase in self._tones():
            if frequency < rate / 2:
                push = np.array([[force, force, 0]], np.complex128)
                answer = structure.accelerance(specimen.modes, np.array([frequency]), push)[0, list(ways)]
                for row, one in zip(out, answer, strict=True):
                    row += tones(count, rate, [(frequency, abs(one), phase + float(np.angle(one)))])
        if isinstance(self.machine.fluid, Pump):
            out += self.cavitation(rate)
        if isinstance(self.machine.fluid, AirCompressor) and point.supply is not None:
            fluid = self.machine.fluid
            pistons = replace(specimen, rotor=0.0, bearing=None, coupling=0.0, roughness=0.0,
                              knocks=(vibration.Knock(float(fluid.cylinders), fluid.stroke, STROKE_JITTER),))
            strokes = vibration.motion(pistons, {}, rate, count, np.random.default_rng(draw.strokes), speed=point.speed,
                                       start_phase=draw.phase, directions=ways)
            out += strokes * point.supply.is_loaded(self.times(rate))
        out -= out.mean(axis=1, keepdims=True)                            # it stays where it is: no mean acceleration
        return out

    def _cavitation(self, rate: float) -> NDArray[np.float32]:
        """Acceleration [m/s²] of the casing by cavitation, (N,)."""
        fluid, draw, point = self.machine.fluid, self.draw, self.point
        assert isinstance(fluid, Pump)
        rng, model = np.random.default_rng(draw.cavitation), operating.pump_cavitation(fluid)
        noise = cavitation_noise(self.count(rate), rate, rng, point.cavitation, point.blade_pass, fluid.vanes * draw.phase, model)
        return noise.astype(np.float32)

    def _tones(self) -> list[tuple[float, float, float]]:
        """(frequency [Hz], force [N], phase [rad]) of what is not locked to the shaft, and of the blades."""
        machine, point, fluid = self.machine, self.point, self.machine.fluid
        tones = [(2 * machine.drive.mains, MAGNETIC * 9.81 * machine.rotor.mass, 2 * self.draw.mains)]
        if isinstance(fluid, Pump | Fan):
            blades = fluid.vanes if isinstance(fluid, Pump) else fluid.blades
            area = point.flow / DUCT[machine.type]
            tones.append((point.blade_pass, math.sqrt(2.0) * fluid.pulsation * point.rise * area, blades * self.draw.phase))
        return tones

    def _heard(self, position: tuple[float, float, float], rate: float) -> F64:
        """Sound pressure [Pa] at a place in the room, (N,): housings through the room, and the hall, in one spectrum."""
        machine, where, count = self.machine, self.machine.surroundings, self.count(rate)
        frequency = rfftfreq(count, 1 / rate)
        shaken = sum((self.acceleration(b.id, rate, 0).astype(np.float64) for b in machine.bearings), np.zeros(count))
        spectrum = rfft(shaken) * acoustics.radiation(frequency, acoustics.Radiator(where.area / len(machine.bearings)))
        if isinstance(machine.fluid, Fan):
            spectrum += _blades(machine.fluid, self.point, count, rate, self.draw)
        response = impulse_response(Room(where.size, where.absorption), where.machine, position, rate)
        spectrum *= rfft(acoustics.folded(response, count))
        # microphones hear the same hall at the same time, each with its own mixture of it
        rng = np.random.default_rng([self.draw.hall, *(round(x * 1000) for x in position)])
        spectrum += acoustics.hall_lines(count, rate, rng, acoustics.Hall(where.noise))
        heard: F64 = irfft(spectrum, count)
        return heard + acoustics.hall_tones(count, rate, rng, acoustics.Hall(where.noise))

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


def _blades(fan: Fan, point: Operating, count: int, rate: float, draw: Draw) -> C128:
    """Spectrum of a fan's air noise as a source [Pa at 1 m], pink, with its blade tone.

    L_W = 37 + 10·lg q + 20·lg Δp, and 4 dB more in the octave of the blades (VDI 2081).
    """
    level = acoustics.free_field_level(37 + 10 * math.log10(point.flow) + 20 * math.log10(point.rise), 1.0)
    tone = math.sqrt(2.0) * acoustics.rms_pressure(level - 10 * math.log10(8) + 4)      # an eighth of the power is in an octave
    pink = acoustics.pink_density(rfftfreq(count, 1 / rate), level, 50.0, rate / 2)
    found = acoustics.noise_lines(count, rate, np.random.default_rng(draw.fan), pink)
    found += rfft(tones(count, rate, [(point.blade_pass, tone, fan.blades * draw.phase)]))
    return found


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
        seeds[b.id] = int(rng.integers(1 << 62))
    phase, mains, share = rng.uniform(0, 2 * math.pi), rng.uniform(0, 2 * math.pi), rng.random()
    rest = [int(x) for x in rng.integers(1 << 62, size=5)]
    return Draw(specimens, seeds, phase, mains, share, *rest)


__all__ = ["HEARD_RATE", "Draw", "State", "draw_specimen"]
