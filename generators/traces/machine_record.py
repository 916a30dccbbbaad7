"""machine_record: all channels of one pump, motor, fan or compressor on one clock, and what is true behind them.

A specimen is drawn (contact angles, slip, rest unbalance), the operating point follows from machine and faults
(``operating``), and from that one state every channel: vibration of each bearing's housing, the sound of those housings in the
room, pressure and flow, heat, current. The machine has run for hours: temperatures are settled, echoes have no beginning.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfftfreq

from generators.traces import acoustics, bearings, electric, operating, structure, vibration
from generators.traces.cavitation import cavitation_noise, intensity
from generators.traces.jets import Jet, ultrasonic_level
from generators.traces.operating import Operating
from generators.traces.pneumatics import ATMOSPHERE, flow
from generators.traces.rooms import Room, impulse_response
from generators.traces.sensor import SensorModel, Trace, history, measured
from generators.traces.thermal import lag
from scenes.errors import InputError
from scenes.machines.machine import Machine, check_fault
from scenes.machines.model import DIRECTIONS, FAST, AirCompressor, Fan, Fault, MachineSensor, Pump

F64 = NDArray[np.float64]

MAX_VALUES = 1 << 25                           # of one channel: 22 minutes at 25.6 kHz
HEARD_RATE = 25_600.0                          # [Hz] at which levels are listened to
RIPPLE = 2e-4                                  # [1] of the speed of a motor on the mains
MAGNETIC = 0.05                                # [1] pull at twice the mains frequency over the rotor's weight (engineering default)
DUCT = {"pump": 3.0, "fan": 12.0}              # [m/s] in the pipe: its area takes up the pulsation (engineering default)
TURBULENCE = 0.004                             # [1] standard deviation of flow, over seconds (engineering default)
STROKE_JITTER = 0.002                          # [1] of the time between strokes (engineering default)
STROKE_TORQUE = 0.25                           # [1] torque ripple of a piston compressor while it delivers (engineering default)


@dataclass(frozen=True, eq=False)
class MachineRecord:
    """What the sensors of one machine recorded."""
    machine: str                               # its ISA-95 id
    start: float                               # [s] true time of the first value
    duration: float                            # [s]
    traces: tuple[Trace, ...]                  # in the order of the machine's sensors
    truth: Mapping[str, Any]                   # faults, operating point, kinematic frequencies: JSON-ready, SI units


@dataclass(frozen=True, eq=False)
class _Draw:
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


def record(machine: Machine, duration: float, rng: np.random.Generator, *, faults: Sequence[Fault] | None = None,
           start: float = 0.0) -> MachineRecord:
    """Record a machine.

    Args:
        machine: The machine.
        duration: [s] of every channel.
        rng: A record is a function of the machine, the duration, the faults and this.
        faults: Instead of the machine's own; () for a sound one.
        start: [s] on the true clock.

    Returns:
        One trace per sensor, and the truth.

    Raises:
        SceneError: a fault that this machine cannot have.
        InputError: a duration that gives no value, or too many.
        BackendUnavailable: sound is asked for, and pyroomacoustics is not there.
    """
    own = machine.faults if faults is None else tuple(faults)
    ids = [b.id for b in machine.bearings]
    for fault in own:
        check_fault(fault, machine.type, ids, machine.id)
    for sensor in machine.sensors:
        rate = HEARD_RATE if sensor.quantity == "sound_level" else sensor.rate
        if not 1 <= duration * rate <= MAX_VALUES:
            raise InputError(f"{sensor.channel}: {duration:g} s at {rate:g} Hz is not 1 to {MAX_VALUES} values; change the duration")
    draw, noise = _draw(machine, rng), rng.spawn(len(machine.sensors))
    wrong = operating.severities(own)
    point = operating.operating(machine, wrong, duration, draw.share)
    state = _State(machine, wrong, point, draw, duration)
    traces = tuple(_measure(state, sensor, own_noise, start) for sensor, own_noise in zip(machine.sensors, noise, strict=True))
    return MachineRecord(machine.path, start, duration, traces, _truth(state, own))


class _State:
    """One machine while it is recorded; what several channels need is made once."""

    def __init__(self, machine: Machine, wrong: Mapping[tuple[str, str], float], point: Operating, draw: _Draw,
                 duration: float) -> None:
        self.machine, self.wrong, self.point, self.draw, self.duration = machine, wrong, point, draw, duration
        self.motion = lru_cache(maxsize=None)(self._motion)
        self.heard = lru_cache(maxsize=None)(self._heard)

    def count(self, rate: float) -> int:
        """Values of a channel."""
        return round(self.duration * rate)

    def times(self, rate: float) -> F64:
        """[s] of a channel's values, 0 at the first."""
        found: F64 = np.arange(self.count(rate)) / rate
        return found

    def _motion(self, place: str, rate: float) -> NDArray[np.float32]:
        """Acceleration [m/s²] of a bearing's housing, (3, N): horizontal, vertical, axial."""
        count, point, draw = self.count(rate), self.point, self.draw
        specimen = draw.specimens[place]
        faults = {kind.removeprefix("bearing_"): s for (kind, where), s in self.wrong.items()
                  if where == place or kind in ("unbalance", "misalignment", "looseness")}
        out = vibration.motion(specimen, faults, rate, count, np.random.default_rng(draw.seeds[place]), speed=point.speed,
                               load=point.load, start_phase=draw.phase)
        for frequency, force, phase in self._tones():
            if frequency < rate / 2:
                answer = structure.accelerance(specimen.modes, np.array(frequency), np.array([force, force, 0], np.complex128))
                angle = 2 * math.pi * frequency * self.times(rate) + phase
                for row, one in zip(out, answer, strict=True):
                    row += abs(one) * acoustics.cosine(angle + np.angle(one))
        fluid = self.machine.fluid
        if isinstance(fluid, Pump):
            out += cavitation_noise(count, rate, np.random.default_rng(draw.cavitation), point.cavitation, point.blade_pass,
                                    fluid.vanes * draw.phase, operating.pump_cavitation(fluid))
        if isinstance(fluid, AirCompressor) and point.supply is not None:
            pistons = replace(specimen, rotor=0.0, bearing=None, coupling=0.0, roughness=0.0,
                              knocks=(vibration.Knock(float(fluid.cylinders), fluid.stroke, STROKE_JITTER),))
            strokes = vibration.motion(pistons, {}, rate, count, np.random.default_rng(draw.strokes), speed=point.speed,
                                       start_phase=draw.phase)
            out += strokes * point.supply.is_loaded(self.times(rate))
        out -= out.mean(axis=1, keepdims=True)                            # it stays where it is: no mean acceleration
        return out

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
        """Sound pressure [Pa] at a place in the room, (N,)."""
        machine, where, count = self.machine, self.machine.surroundings, self.count(rate)
        motion = sum(self.motion(b.id, rate)[0].astype(np.float64) for b in machine.bearings)
        source = acoustics.source_pressure(np.asarray(motion), rate, acoustics.Radiator(where.area / len(machine.bearings)))
        if isinstance(machine.fluid, Fan):
            source = source + _blades(machine.fluid, self.point, count, rate, self.draw)
        response = impulse_response(Room(where.size, where.absorption), where.machine, position, rate)
        hall = acoustics.Hall(where.noise)
        # microphones hear the same hall at the same time, each with its own mixture of it
        seed = [self.draw.hall, *(round(x * 1000) for x in position)]
        return acoustics.steady(source, response) + acoustics.hall_noise(count, rate, np.random.default_rng(seed), hall)


def _blades(fan: Fan, point: Operating, count: int, rate: float, draw: _Draw) -> F64:
    """Air noise of a fan as a source [Pa at 1 m]: L_W = 37 + 10·lg q + 20·lg Δp (VDI 2081), pink, and its blade tone 4 dB above."""
    level = acoustics.free_field_level(37 + 10 * math.log10(point.flow) + 20 * math.log10(point.rise), 1.0)
    rng = np.random.default_rng(draw.fan)
    noise = acoustics.shaped_noise(count, rate, rng, acoustics.pink_density(rfftfreq(count, 1 / rate), level, 50.0, rate / 2))
    tone = math.sqrt(2.0) * acoustics.rms_pressure(level - 10 * math.log10(8) + 4)      # over an octave band of eight
    angle = 2 * math.pi * point.blade_pass / rate * np.arange(count) + fan.blades * draw.phase
    found: F64 = noise + tone * acoustics.cosine(angle)
    return found


def _draw(machine: Machine, rng: np.random.Generator) -> _Draw:
    """Always the same number of draws for the same bearings: a fault changes no specimen."""
    modes = tuple(structure.Mode(m.frequency, m.damping, m.mass, m.shape) for m in machine.modes)
    specimens, seeds = {}, {}
    for b in machine.bearings:
        geometry = bearings.Bearing(b.type, b.elements, b.ball, b.pitch, b.angle)
        plain = vibration.Machine(f"{machine.id}/{b.id}", machine.drive.speed(machine.load), machine.rotor.mass / len(machine.bearings),
                                  modes, geometry, grade=machine.rotor.grade, coupling=machine.rotor.coupling,
                                  roughness=machine.rotor.roughness, ripple=RIPPLE)
        specimens[b.id] = vibration.fitted(plain, rng)
        seeds[b.id] = int(rng.integers(1 << 62))
    phase, mains, share = rng.uniform(0, 2 * math.pi), rng.uniform(0, 2 * math.pi), rng.random()
    rest = [int(x) for x in rng.integers(1 << 62, size=5)]
    return _Draw(specimens, seeds, phase, mains, share, *rest)


# ------------------------------------------------------------------------------------------------ channels

def _measure(state: _State, sensor: MachineSensor, rng: np.random.Generator, start: float) -> Trace:
    model = SensorModel(sensor.low, sensor.high, sensor.bandwidth, anti_alias=sensor.quantity in FAST, resolution=sensor.resolution,
                        noise=sensor.noise, dropout=sensor.dropout, clock_offset=sensor.clock_offset)
    true = _CHANNELS[sensor.quantity](state, sensor)
    values = measured(true, sensor.rate, model, rng) if sensor.quantity in FAST else history(true, model, rng)
    return Trace(sensor.channel, sensor.unit, sensor.rate, model.stamp_ns(start), values)


def _vibration(state: _State, sensor: MachineSensor) -> NDArray[Any]:
    found: NDArray[Any] = state.motion(sensor.place, sensor.rate)[DIRECTIONS.index(sensor.direction)]
    return found


def _sound(state: _State, sensor: MachineSensor) -> NDArray[Any]:
    return state.heard(sensor.position, sensor.rate)


def _sound_level(state: _State, sensor: MachineSensor) -> NDArray[Any]:
    heard = state.heard(sensor.position, HEARD_RATE)
    count = state.count(sensor.rate)
    power = np.square(heard[:len(heard) // count * count]).reshape(count, -1).mean(axis=1)
    found: F64 = 10 * np.log10(power / acoustics.REFERENCE_PRESSURE ** 2)
    return found


def _ultrasonic(state: _State, sensor: MachineSensor) -> NDArray[Any]:
    fluid, point = state.machine.fluid, state.point
    assert isinstance(fluid, AirCompressor) and point.supply is not None
    background = 10 ** 3.0                                                # 30 dB in the band (engineering default)
    pressures = point.supply.pressure(state.times(sensor.rate))
    levels = [ultrasonic_level(Jet(point.leak_hole, float(p)), fluid.leak_distance) if point.leak_hole > 0 else -math.inf
              for p in pressures]
    found: F64 = 10 * np.log10(background + 10 ** (np.array(levels) / 10))
    return found


def _pressure(state: _State, sensor: MachineSensor) -> NDArray[Any]:
    fluid, point = state.machine.fluid, state.point
    time = state.times(sensor.rate)
    if point.supply is not None:
        return point.supply.pressure(time)
    assert isinstance(fluid, Pump | Fan)
    blades = fluid.vanes if isinstance(fluid, Pump) else fluid.blades
    found = point.pressure + 2 * point.rise * _turbulence(state, sensor.rate)
    if point.blade_pass < sensor.rate / 2:
        beat = 2 * math.pi * point.blade_pass * time + blades * state.draw.phase
        found = found + math.sqrt(2.0) * fluid.pulsation * point.rise * acoustics.cosine(beat)
    return found


def _flow(state: _State, sensor: MachineSensor) -> NDArray[Any]:
    point = state.point
    drawn = point.flow * (1 + _turbulence(state, sensor.rate))
    if point.leak is not None and point.supply is not None:
        drawn = drawn + flow(point.leak, point.supply.pressure(state.times(sensor.rate)), ATMOSPHERE)
    return drawn


def _turbulence(state: _State, rate: float) -> F64:
    """Relative fluctuation of the flow, (N,): the same course for pressure and flow, drawn at 20 Hz and smooth over half a second."""
    rng = np.random.default_rng(state.draw.slow)
    knots = math.ceil(state.duration * 20) + 2
    shocks = rng.standard_normal(knots + 60)
    slow = lag(shocks, 20.0, 0.5)[60:] * (TURBULENCE / math.sqrt((1 - math.exp(-0.1)) / (1 + math.exp(-0.1))))
    found: F64 = np.interp(state.times(rate), np.arange(knots) / 20.0, slow)
    return found


def _temperature(state: _State, sensor: MachineSensor) -> NDArray[Any]:
    machine, point = state.machine, state.point
    winding, housing = operating.motor_heat(machine, point, state.wrong)
    if sensor.place == "winding":
        value = winding
    elif sensor.place == "housing":
        value = housing
    else:
        around = machine.surroundings.temperature
        value = around + operating.bearing_heat(machine, sensor.place).rise(point.speed,
                                                                           operating.bearing_damage(state.wrong, sensor.place))
    return np.full(state.count(sensor.rate), value)


def _current(state: _State, sensor: MachineSensor) -> NDArray[Any]:
    machine, point, count = state.machine, state.point, state.count(sensor.rate)
    motor = operating.induction_motor(machine, state.wrong)
    lines = []
    for b in machine.bearings:                                            # a ball that meets a spall brakes the shaft a little
        heat = operating.bearing_heat(machine, b.id)
        moment = heat.power(point.speed, operating.bearing_damage(state.wrong, b.id)) / (2 * math.pi * point.speed)
        extra = (moment - heat.power(point.speed) / (2 * math.pi * point.speed)) / motor.torque()
        lines += [(frequency, extra) for frequency in _fault_lines(state, b.id)]
    ripple: Any = electric.ripple(count, sensor.rate, lines) if lines else np.zeros(count)
    load = point.load
    supply, fluid = point.supply, machine.fluid
    if supply is not None and isinstance(fluid, AirCompressor):
        loaded = supply.is_loaded(state.times(sensor.rate))
        beat = 2 * math.pi * fluid.cylinders * point.speed * state.times(sensor.rate) + fluid.cylinders * state.draw.phase
        actual = machine.load * np.where(loaded, 1 + STROKE_TORQUE * acoustics.cosine(beat), operating.IDLE)
        ripple = ripple + lag(actual - load, sensor.rate, 0.05)           # the rotor's inertia smooths it
    elif isinstance(fluid, Pump | Fan):
        ripple = ripple + load * 2 * _turbulence(state, sensor.rate)
    return electric.motor_current(motor, count, sensor.rate, load, ripple=ripple, phase=state.draw.mains)


def _speed(state: _State, sensor: MachineSensor) -> NDArray[Any]:
    return np.full(state.count(sensor.rate), state.point.speed)


_CHANNELS = {"vibration": _vibration, "sound": _sound, "sound_level": _sound_level, "ultrasonic_level": _ultrasonic,
             "pressure": _pressure, "flow": _flow, "temperature": _temperature, "current": _current, "speed": _speed}


# ------------------------------------------------------------------------------------------------ truth

def _kinematics(state: _State, place: str) -> dict[str, float]:
    """Frequencies [Hz] of one bearing at its effective contact angle. ``ball`` is 2 × BSF: a spall strikes both rings."""
    specimen = state.draw.specimens[place]
    assert specimen.bearing is not None
    of, speed = bearings.orders(specimen.bearing, specimen.angle), state.point.speed
    return {"cage": of.cage * speed, "outer": of.outer * speed, "inner": of.inner * speed, "ball": 2 * of.spin * speed}


def _fault_lines(state: _State, place: str) -> list[float]:
    """[Hz] of the spalls that a bearing has."""
    known = _kinematics(state, place)
    return [known[kind.removeprefix("bearing_")] for (kind, where), s in state.wrong.items()
            if where == place and s > 0 and kind.startswith("bearing_")]


def _truth(state: _State, faults: tuple[Fault, ...]) -> dict[str, Any]:
    machine, point = state.machine, state.point
    truth: dict[str, Any] = {
        "machine": machine.path, "type": machine.type, "name": machine.name,
        "faults": [{"kind": f.kind, "place": f.place, "severity": f.severity} for f in faults],
        "speed_hz": point.speed, "load": point.load, "mains_hz": machine.drive.mains,
        "slip": 1 - point.speed * machine.drive.pole_pairs / machine.drive.mains,
        "bearings": {b.id: {
            "type": b.type, "angle_rad": state.draw.specimens[b.id].angle, "slip": state.draw.specimens[b.id].slip,
            **{f"{k}_hz": v for k, v in _kinematics(state, b.id).items()}} for b in machine.bearings},
    }
    if point.blade_pass:
        truth |= {"blade_pass_hz": point.blade_pass, "flow_m3_s": point.flow, "rise_pa": point.rise}
    if isinstance(machine.fluid, Pump):
        truth |= {"suction_pa": point.suction, "cavitation_number": point.cavitation,
                  "cavitation": intensity(point.cavitation, operating.pump_cavitation(machine.fluid))}
    if point.supply is not None:
        leaking = 0.0 if point.leak is None else float(flow(point.leak, point.pressure, ATMOSPHERE))
        truth |= {"loaded_share": point.supply.loaded_share(state.duration), "leak_m3_s": leaking, "leak_hole_m": point.leak_hole}
    return truth


__all__ = ["MAX_VALUES", "MachineRecord", "record"]
