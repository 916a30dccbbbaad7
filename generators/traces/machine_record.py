"""machine_record: all channels of one pump, motor, fan or compressor on one clock, and what is true behind them.

A specimen is drawn (contact angles, slip, rest unbalance), the operating point follows from machine and faults
(``operating``), and from that one state every channel: vibration of each bearing's housing, the sound of those housings in the
room, pressure and flow, heat, current. The machine has run for hours: temperatures are settled, echoes have no beginning.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.traces import acoustics, electric, operating
from generators.traces.cavitation import intensity
from generators.traces.jets import Jet, ultrasonic_level
from generators.traces.machine_state import State, draw_specimen
from generators.traces.pneumatics import ATMOSPHERE, flow
from generators.traces.sensor import MAX_VALUES, SensorModel, Trace, history, measured
from generators.traces.thermal import lag
from generators.traces.tones import tones
from scenes.errors import InputError
from scenes.machines.machine import Machine, check_fault
from scenes.machines.model import DIRECTIONS, FAST, HEARD_RATE, AirCompressor, Fan, Fault, MachineSensor, Pump

F64 = NDArray[np.float64]

BACKGROUND = 30.0                              # [dB] around 40 kHz in a tight plant (engineering default)
STROKE_TORQUE = 0.25                           # [1] torque ripple of a piston compressor while it delivers (engineering default)


@dataclass(frozen=True, eq=False)
class MachineRecord:
    """What the sensors of one machine recorded."""
    machine: str                               # its ISA-95 id
    start: float                               # [s] true time of the first value
    duration: float                            # [s]
    traces: tuple[Trace, ...]                  # in the order of the machine's sensors
    truth: Mapping[str, Any]                   # faults, operating point, kinematic frequencies: JSON-ready, SI units


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
        for rate in (sensor.rate, HEARD_RATE) if sensor.quantity == "sound_level" else (sensor.rate,):
            if not 1 <= duration * rate <= MAX_VALUES:
                raise InputError(f"{sensor.channel}: {duration:g} s at {rate:g} Hz is not 1 to {MAX_VALUES} values; "
                                 "change the duration")
    draw, noise = draw_specimen(machine, rng), rng.spawn(len(machine.sensors))
    wrong = operating.severities(own)
    point = operating.operating(machine, wrong, duration, draw.share)
    state = State(machine, wrong, point, draw, duration)
    traces = tuple(_measure(state, sensor, own_noise, start) for sensor, own_noise in zip(machine.sensors, noise, strict=True))
    return MachineRecord(machine.path, start, duration, traces, _truth(state, own))


# ------------------------------------------------------------------------------------------------ channels

def _measure(state: State, sensor: MachineSensor, rng: np.random.Generator, start: float) -> Trace:
    model = SensorModel(
        sensor.low, sensor.high, sensor.bandwidth, anti_alias=sensor.quantity in FAST, resolution=sensor.resolution,
        noise=sensor.noise, dropout=sensor.dropout, clock_offset=sensor.clock_offset)
    true = _CHANNELS[sensor.quantity](state, sensor)
    values = measured(true, sensor.rate, model, rng) if sensor.quantity in FAST else history(true, model, rng)
    return Trace(sensor.channel, sensor.unit, sensor.rate, model.stamp_ns(start), values)


def _vibration(state: State, sensor: MachineSensor) -> NDArray[Any]:
    return state.acceleration(sensor.place, sensor.rate, DIRECTIONS.index(sensor.direction))


def _sound(state: State, sensor: MachineSensor) -> NDArray[Any]:
    return state.heard(sensor.position, sensor.rate)


def _sound_level(state: State, sensor: MachineSensor) -> NDArray[Any]:
    heard = state.heard(sensor.position, HEARD_RATE)
    count = state.count(sensor.rate)
    power = np.square(heard[:len(heard) // count * count]).reshape(count, -1).mean(axis=1)
    found: F64 = 10 * np.log10(power / acoustics.REFERENCE_PRESSURE ** 2)
    return found


def _ultrasonic(state: State, sensor: MachineSensor) -> NDArray[Any]:
    fluid, point = state.machine.fluid, state.point
    assert isinstance(fluid, AirCompressor) and point.supply is not None
    pressures = point.supply.pressure(state.times(sensor.rate))
    levels = [ultrasonic_level(Jet(point.leak_hole, float(p)), fluid.leak_distance) if point.leak_hole > 0 else -math.inf
              for p in pressures]
    found: F64 = 10 * np.log10(10 ** (BACKGROUND / 10) + 10 ** (np.array(levels) / 10))
    return found


def _pressure(state: State, sensor: MachineSensor) -> NDArray[Any]:
    fluid, point = state.machine.fluid, state.point
    if point.supply is not None:
        return point.supply.pressure(state.times(sensor.rate))
    assert isinstance(fluid, Pump | Fan)
    blades = fluid.vanes if isinstance(fluid, Pump) else fluid.blades
    found = point.pressure + 2 * point.rise * state.turbulence(sensor.rate)
    if point.blade_pass < sensor.rate / 2:
        beat = (point.blade_pass, math.sqrt(2.0) * fluid.pulsation * point.rise, blades * state.draw.phase)
        found = found + tones(len(found), sensor.rate, [beat])
    return found


def _flow(state: State, sensor: MachineSensor) -> NDArray[Any]:
    point = state.point
    drawn = point.flow * (1 + state.turbulence(sensor.rate))
    if point.leak is not None and point.supply is not None:
        drawn = drawn + flow(point.leak, point.supply.pressure(state.times(sensor.rate)), ATMOSPHERE)
    return drawn


def _temperature(state: State, sensor: MachineSensor) -> NDArray[Any]:
    machine, point = state.machine, state.point
    winding, housing = operating.motor_heat(machine, point, state.wrong)
    if sensor.place == "winding":
        value = winding
    elif sensor.place == "housing":
        value = housing
    else:
        damage = operating.bearing_damage(state.wrong, sensor.place)
        value = machine.surroundings.temperature + operating.bearing_heat(machine, sensor.place).rise(point.speed, damage)
    return np.full(state.count(sensor.rate), value)


def _current(state: State, sensor: MachineSensor) -> NDArray[Any]:
    machine, point, count = state.machine, state.point, state.count(sensor.rate)
    motor = operating.induction_motor(machine, state.wrong)
    lines = []
    for b in machine.bearings:                                            # a ball that meets a spall brakes the shaft a little
        heat = operating.bearing_heat(machine, b.id)
        more = heat.power(point.speed, operating.bearing_damage(state.wrong, b.id)) - heat.power(point.speed)
        lines += [(f, more / (2 * math.pi * point.speed) / motor.torque(), 0.0) for f in _fault_lines(state, b.id)]
    ripple = tones(count, sensor.rate, lines)
    load = point.load
    supply, fluid = point.supply, machine.fluid
    if supply is not None and isinstance(fluid, AirCompressor):
        loaded = supply.is_loaded(state.times(sensor.rate))
        beat = tones(count, sensor.rate, [(fluid.cylinders * point.speed, STROKE_TORQUE, fluid.cylinders * state.draw.phase)])
        actual = machine.load * np.where(loaded, 1 + beat, operating.IDLE)
        ripple = ripple + lag(actual - load, sensor.rate, 0.05)           # the rotor's inertia smooths it
    elif isinstance(fluid, Pump | Fan):
        ripple = ripple + load * 2 * state.turbulence(sensor.rate)
    return electric.motor_current(motor, count, sensor.rate, load, ripple=ripple, phase=state.draw.mains)


def _speed(state: State, sensor: MachineSensor) -> NDArray[Any]:
    return np.full(state.count(sensor.rate), state.point.speed)


_CHANNELS = {"vibration": _vibration, "sound": _sound, "sound_level": _sound_level, "ultrasonic_level": _ultrasonic,
             "pressure": _pressure, "flow": _flow, "temperature": _temperature, "current": _current, "speed": _speed}


# ------------------------------------------------------------------------------------------------ truth

def _fault_lines(state: State, place: str) -> list[float]:
    """[Hz] of the spalls that a bearing has."""
    known = state.kinematics(place)
    return [known[kind.removeprefix("bearing_")] for (kind, where), s in state.wrong.items()
            if where == place and s > 0 and kind.startswith("bearing_")]


def _truth(state: State, faults: tuple[Fault, ...]) -> dict[str, Any]:
    machine, point = state.machine, state.point
    truth: dict[str, Any] = {
        "machine": machine.path, "type": machine.type, "name": machine.name,
        "faults": [{"kind": f.kind, "place": f.place, "severity": f.severity} for f in faults],
        "speed_hz": point.speed, "load": point.load, "mains_hz": machine.drive.mains,
        "slip": 1 - point.speed * machine.drive.pole_pairs / machine.drive.mains,
        "bearings": {b.id: {
            "type": b.type, "angle_rad": state.draw.specimens[b.id].angle, "slip": state.draw.specimens[b.id].slip,
            **{f"{k}_hz": v for k, v in state.kinematics(b.id).items()}} for b in machine.bearings},
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


__all__ = ["MachineRecord", "record"]
