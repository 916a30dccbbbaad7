"""line_signals: fast windows of a living line that are no vibration: sound, air, vacuum and currents.

Each agrees with the history of its own channel, where that is a level, a peak or an RMS: both come from ``scenes.line.couplings``
or from the figure named beside a constant here. A microphone's window is sound pressure [Pa], whatever unit its level has.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfftfreq
from scipy.signal import lfilter

from generators.traces import acoustics, electric, jets, sensor, vacuum
from generators.traces.bearings import PARTS, orders
from generators.traces.heads import PERIOD
from generators.traces.machines import BLOWER, CONVEYOR
from generators.traces.moment import Moment
from generators.traces.pneumatics import ANR_PRESSURE, ATMOSPHERE, orifice_of_hole
from generators.traces.sensor import F32, SensorModel, Trace
from generators.traces.tones import tones
from generators.traces.vibration import Machine, vibration
from generators.traces.wearing import bearing_faults, blower_speed, of, reading
from scenes.line import couplings
from scenes.line.drifts import KINDS, parameters

F64 = NDArray[np.float64]

MICROPHONE = SensorModel(low=-200.0, high=200.0, coupling=3.0, anti_alias=True, resolution=200 / 2 ** 23, noise=2e-4)
TRANSDUCER = SensorModel(low=-100e3, high=1.6e6, bandwidth=1e3, anti_alias=True, resolution=10.0, noise=20.0)
CLAMP = SensorModel(low=-20.0, high=20.0, bandwidth=5e3, anti_alias=True, resolution=20 / 2 ** 15, noise=2e-3)
# measurement microphone, piezoresistive gauge pressure sensor, current clamp (engineering defaults)

HALL = 66.0                                    # [dB] beside the conveyor, as its history has it
BELT = acoustics.Radiator(19.0, 1.0, 2000.0)   # the tunnel's hood: 8 m of sheet metal, which radiates fully above some kHz only
EAR = 1.0                                      # [m] from hood to microphone: inside the reverberation radius of a hall
LEAK_DISTANCE = 1.2                            # [m] from a leak to the detector
AIR_NOISE = 44.8                               # [dB] of valves and nozzles between 38 and 42 kHz while the machine works
MANIFOLD = 0.3e-3                              # [m³] of air behind the regulator
REFILL = 0.3                                   # [s] in which hose and regulator make up for a draw (both engineering defaults)
FEEDERS = 12                                   # tapes that take turns
BLOWER_AMPS, WORN_AMPS = 2.0, 1.2              # [A] RMS, as the channel's history has them
BELT_AMPS, WORN_BELT_AMPS = 1.25, 0.6          # [A] RMS with a half-full oven, likewise
GRAB = 0.03                                    # [1] torque ripple of a failed bearing over rated (engineering default)


def belt_motion(moment: Moment, rng: np.random.Generator) -> F32:
    """True acceleration [m/s²] of a conveyor's drive, (N,). A drift that shakes the belt less than usual has a smaller spall."""
    machine, faults = bearing_faults(moment, CONVEYOR, "conveyor_bearing")
    usual = KINDS["conveyor_bearing"].parameters["shake"].default
    most = max((parameters(of(moment, d))["shake"] for d in moment.drifts("conveyor_bearing")), default=usual)
    faults = {part: min(severity * most / usual, 1.0) for part, severity in faults.items()}
    return vibration(machine, faults, moment.sensor.window_rate, moment.count, rng, start_phase=2 * np.pi * rng.random())


def conveyor_sound(moment: Moment) -> Trace:
    """Sound pressure beside the conveyor: its drive, and the hall."""
    rng = moment.rng()
    rate = moment.sensor.window_rate
    source = acoustics.source_pressure(belt_motion(moment, rng).astype(np.float64), rate, BELT)
    heard = acoustics.free_field(source, rate, EAR)
    heard += acoustics.hall_noise(moment.count, rate, rng, acoustics.Hall(HALL))
    return _pressure_trace(moment, heard, rng)


def ultrasound(moment: Moment) -> Trace:
    """Sound pressure at the leak detector, up to half its rate: 40 kHz is in it from 84 kHz on."""
    rng = moment.rng()
    rate, leak = moment.sensor.window_rate, _leak(moment)
    per_area = orifice_of_hole(1.0).conductance                           # of 1 m diameter: conductance goes with its square
    supply = ATMOSPHERE + float(couplings.supply(leak)[0])
    jet = jets.Jet(math.sqrt(leak / per_area), supply) if leak > 0 else None
    frequency = rfftfreq(moment.count, 1 / rate)
    quiet = acoustics.rms_pressure(AIR_NOISE) ** 2 / (jets.ULTRASONIC[1] - jets.ULTRASONIC[0])
    heard = acoustics.shaped_noise(moment.count, rate, rng, np.where(frequency > 1e3, quiet, 0.0))
    if jet is not None:
        heard += jets.jet_source(jet, moment.count, rate, rng) / LEAK_DISTANCE
    return _pressure_trace(moment, heard, rng)


def air_pressure(moment: Moment) -> Trace:
    """Gauge pressure behind the regulator: every blow-off takes air out of the manifold, and the hose makes up for it."""
    rng = moment.rng()
    rate, level = moment.sensor.window_rate, float(couplings.supply(_leak(moment))[0])
    time = _time(moment)
    blow = vacuum.Cycle().blow_off
    taken = vacuum.Nozzle().blow.conductance * (level + ATMOSPHERE)       # [m³/s ANR] while it lasts
    phase = np.mod(time + PERIOD * rng.random(), PERIOD)
    draw = np.where(_busy(moment, time) & (phase < blow), taken, 0.0)
    keep = math.exp(-1 / (rate * REFILL))
    mean = float(draw.mean()) * ANR_PRESSURE / MANIFOLD * REFILL
    dip, _ = lfilter([ANR_PRESSURE / MANIFOLD / rate], [1.0, -keep], draw, zi=[keep * mean])
    return reading(moment, level - (np.asarray(dip) - mean), TRANSDUCER, rng)


def nozzle_vacuum(moment: Moment) -> Trace:
    """Gauge pressure in one nozzle's line: picks, holds and releases while the unit is worked on, open to the hall otherwise."""
    rng = moment.rng()
    wear = [parameters(of(moment, d))["wear"] * s for d, s in moment.drifts("nozzle_wear", moment.module).items()]
    gauge = float(couplings.supply(_leak(moment))[0])
    held = float(couplings.vacuum(couplings.combined(*(np.asarray(w) for w in wear)), gauge))
    nozzle = vacuum.Nozzle()
    if held < 0:
        nozzle = replace(nozzle, leak=vacuum.leak_for_vacuum(nozzle, ATMOSPHERE + gauge, held))
    time = _time(moment)
    turn = PERIOD * couplings.NOZZLES                                     # nozzles take turns
    cycle = vacuum.Cycle(release=0.62 * turn, part_leaves=0.62 * turn + 0.010)
    true = np.zeros(moment.count)
    picks = np.arange(moment.work[0] - moment.start + turn * rng.random(), moment.work[1] - moment.start, turn)
    for pick in picks[(picks > -turn) & (picks < moment.seconds)]:
        first, last = np.searchsorted(time, [pick, pick + turn])
        true[first:last] = vacuum.placement_pressure(time[first:last] - pick, nozzle, ATMOSPHERE + gauge, cycle)
    return reading(moment, true, TRANSDUCER, rng)


def feeder_current(moment: Moment) -> Trace:
    """Current of one feeder's motor: it advances its tape when its turn comes. Pitch errors follow one another."""
    rng = moment.rng()
    worn = [parameters(of(moment, d))["pitch"] * s for d, s in moment.drifts("feeder_pitch", moment.module).items()]
    turn = PERIOD * FEEDERS
    begin = -turn * rng.random()
    moves = np.arange(begin, moment.seconds, turn)
    errors = electric.pitch_errors(len(moves), rng, math.hypot(*worn), start=math.hypot(*worn) * rng.standard_normal())
    at_work = _busy(moment, moves)
    true = electric.feeder_current(electric.Feeder(), moment.count, moment.sensor.window_rate, moves[at_work].tolist(),
                                   errors[at_work])
    return reading(moment, true, CLAMP, rng)


def blower_current(moment: Moment) -> Trace:
    """Current of a zone's blower: a failing bearing costs torque, and grabs when a ball meets its spall."""
    rng = moment.rng()
    machine, faults = bearing_faults(moment, BLOWER, "zone_blower_bearing", moment.module)
    severity = _condition(moment, "zone_blower_bearing", moment.module)
    motor = electric.InductionMotor(pole_pairs=1, power=370.0, rated_current=2.6, no_load=0.5)
    true = _motor(moment, motor, BLOWER_AMPS + WORN_AMPS * severity, machine, faults, blower_speed(moment), rng)
    return reading(moment, true, CLAMP, rng)


def belt_current(moment: Moment) -> Trace:
    """Current of the conveyor's motor, likewise."""
    rng = moment.rng()
    machine, faults = bearing_faults(moment, CONVEYOR, "conveyor_bearing")
    severity = _condition(moment, "conveyor_bearing")
    motor = electric.InductionMotor(power=180.0, rated_current=1.6, no_load=0.55)
    true = _motor(moment, motor, BELT_AMPS + WORN_BELT_AMPS * severity, machine, faults, CONVEYOR.speed, rng)
    return reading(moment, true, CLAMP, rng)


def _motor(moment: Moment, motor: electric.InductionMotor, amps: float, machine: Machine, faults: Mapping[str, float],
           speed: float, rng: np.random.Generator) -> F64:
    """Current [A] whose RMS is ``amps`` without ripple, with the ripple of the bearing's spalls."""
    load = math.sqrt((amps / motor.rated_current) ** 2 - motor.no_load ** 2) / math.sqrt(1 - motor.no_load ** 2)
    assert machine.bearing is not None
    of_bearing = orders(machine.bearing, machine.angle)
    order = {"outer": of_bearing.outer, "inner": of_bearing.inner, "ball": 2 * of_bearing.spin, "cage": of_bearing.cage}
    mains, *phases = rng.uniform(0, 2 * math.pi, 1 + len(PARTS)).tolist()
    lines = [(order[part] * speed, GRAB * faults[part], phase)
             for part, phase in zip(PARTS, phases, strict=True) if faults.get(part)]
    ripple = tones(moment.count, moment.sensor.window_rate, lines)
    return electric.motor_current(motor, moment.count, moment.sensor.window_rate, load, ripple=ripple, phase=mains)


def _condition(moment: Moment, kind: str, module: str | None = None) -> float:
    """Severity [1] of a part with all its drifts of a kind."""
    return float(couplings.combined(*(np.asarray(s) for s in moment.drifts(kind, module).values())))


def _leak(moment: Moment) -> float:
    """Conductance [m³/(s·Pa)] of all leaks of the station."""
    return sum(parameters(of(moment, d))["conductance"] * s for d, s in moment.drifts("air_leak").items())


def _time(moment: Moment) -> F64:
    """[s] from the first reading, (N,)."""
    found: F64 = np.arange(moment.count, dtype=np.float64) / moment.sensor.window_rate
    return found


def _busy(moment: Moment, time: F64) -> NDArray[np.bool_]:
    """Whether the unit is worked on at times [s] from the first reading."""
    found: NDArray[np.bool_] = (time >= moment.work[0] - moment.start) & (time < moment.work[1] - moment.start)
    return found


def _pressure_trace(moment: Moment, heard: NDArray[Any], rng: np.random.Generator) -> Trace:
    model = replace(MICROPHONE, dropout=moment.sensor.dropout, clock_offset=moment.sensor.clock_offset)
    return sensor.window(heard, moment.sensor.window_rate, moment.sensor, model, rng, start=moment.start, unit="Pa")


SIGNALS: Mapping[str, Callable[[Moment], Trace]] = {
    "conveyor/sound_level": conveyor_sound, "conveyor/motor_current": belt_current, "zone*/blower_current": blower_current,
    "air/ultrasound": ultrasound, "air/pressure": air_pressure, "nozzle*/vacuum": nozzle_vacuum,
    "feeder*/motor_current": feeder_current,
}
"""By kind of channel, for ``line_windows.MAKERS``."""

__all__ = ["SIGNALS", "belt_motion"]
