"""line_signals: fast windows of a living line that are no vibration: sound, air, vacuum and currents.

Each agrees with the history of its own channel, where that is a level, a peak or an RMS: both come from
``scenes.line.couplings``. A microphone's window is sound pressure [Pa], whatever unit its level has.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from generators.traces import acoustics, electric, jets, sensor, vacuum, wearing
from generators.traces.heads import PERIOD
from generators.traces.kept import frequencies, kept
from generators.traces.levels import levelled
from generators.traces.moment import Moment
from generators.traces.pneumatics import ANR_PRESSURE, ATMOSPHERE, orifice_of_hole
from generators.traces.sensor import SensorModel, Trace
from generators.traces.structure import HORIZONTAL
from generators.traces.vibration import Running, length, moved, spalls
from generators.traces.wearing import of, reading
from scenes.line import couplings
from scenes.line.drifts import parameters

F64 = NDArray[np.float64]

MICROPHONE = SensorModel(low=-200.0, high=200.0, coupling=3.0, anti_alias=True, resolution=200 / 2 ** 23, noise=2e-4)
TRANSDUCER = SensorModel(low=-100e3, high=1.6e6, bandwidth=1e3, anti_alias=True, resolution=10.0, noise=20.0)
CLAMP = SensorModel(low=-20.0, high=20.0, bandwidth=5e3, anti_alias=True, resolution=20 / 2 ** 15, noise=2e-3)
# measurement microphone, piezoresistive gauge pressure sensor, current clamp (engineering defaults)

BELT = acoustics.Radiator(19.0, 1.0, 2000.0)   # the tunnel's hood: 8 m of sheet metal, which radiates fully above some kHz only
EAR = 1.0                                      # [m] from hood to microphone: inside the reverberation radius of a hall
MANIFOLD = 0.3e-3                              # [m³] of air behind the regulator
REFILL = 0.3                                   # [s] in which hose and regulator make up for a draw (both engineering defaults)
HALF_FULL = 0.5                                # [1] of the oven's load while a window is taken
GRAB = 0.03                                    # [1] torque ripple of a failed bearing over rated (engineering default)


def conveyor_sound(moment: Moment) -> Trace:
    """Sound pressure beside the conveyor: its drive, and the hall."""
    rng, rate = moment.rng(), moment.sensor.window_rate
    loud = acoustics.REFERENCE_PRESSURE * math.sqrt(float(couplings.knock_power(wearing.belt_shake(moment))))
    run = levelled(wearing.belt(moment), rate, HORIZONTAL, {hood: loud})
    hall = acoustics.Hall(couplings.HALL_LEVEL)
    lines = acoustics.hall_lines(length(rate, moment.count), rate, rng, hall)
    heard = acoustics.hall_tones(moment.count, rate, rng, hall)
    heard += moved(run, rate, moment.count, (HORIZONTAL,), hood, lines)[0]
    return _pressure_trace(moment, heard, rng)


def hood(frequency: F64) -> NDArray[np.complex128]:
    """Sound pressure at the microphone per acceleration of the drive [Pa s²/m] at frequencies [Hz], shape as given."""
    found: NDArray[np.complex128] = acoustics.radiation(frequency, BELT) * acoustics.travelled(frequency, EAR)
    return found


def ultrasound(moment: Moment) -> Trace:
    """Sound pressure at the leak detector, up to half its rate: 40 kHz is in it from 84 kHz on.

    A leak's jet has its own spectrum, as loud around 40 kHz as the history has it.
    """
    rng, rate, leak = moment.rng(), moment.sensor.window_rate, _leak(moment)
    low, high = jets.ULTRASONIC
    size = float(couplings.BUSY_AIR) ** 0.5 * acoustics.rms_pressure(couplings.AIR_LEVEL) / math.sqrt(high - low)
    density = size ** 2 * _hissing(moment.count, rate)
    if leak > 0:
        per_area = orifice_of_hole(1.0).conductance                       # of 1 m diameter: conductance goes with its square
        jet = jets.Jet(math.sqrt(leak / per_area), ATMOSPHERE + float(couplings.supply(leak)[0]))
        around = jets.share_below(high, jet.peak) - jets.share_below(low, jet.peak)
        power = acoustics.REFERENCE_PRESSURE ** 2 * float(couplings.jet_power(leak))
        density = density + power / around * jets.density(jet, frequencies(moment.count, rate))
    heard = acoustics.shaped_noise(moment.count, rate, rng, density)
    return _pressure_trace(moment, heard, rng)


@kept
def _hissing(count: int, rate: float) -> F64:
    """1 for the lines that valves and nozzles hiss in."""
    return np.where(frequencies(count, rate) > 1e3, 1.0, 0.0)


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
    first, last = moment.work[0] - moment.start + turn * rng.random(), moment.work[1] - moment.start
    begin, end = np.searchsorted(time, [first, first + turn * math.ceil((last - first) / turn)])
    since = time[begin:end] - first                                       # picks begin while the unit is worked on
    since -= turn * np.floor(since / turn)
    true = np.zeros(moment.count)
    true[begin:end] = vacuum.placement_pressure(since, nozzle, ATMOSPHERE + gauge, cycle)
    return reading(moment, true, TRANSDUCER, rng)


def feeder_current(moment: Moment) -> Trace:
    """Current of one feeder's motor: it advances its tape when its turn comes. Pitch errors follow one another."""
    rng = moment.rng()
    worn = [parameters(of(moment, d))["pitch"] * s for d, s in moment.drifts("feeder_pitch", moment.module).items()]
    turn = PERIOD * couplings.FEEDERS                                     # tapes take turns
    begin = -turn * rng.random()
    moves = np.arange(begin, moment.seconds, turn)
    errors = electric.pitch_errors(len(moves), rng, math.hypot(*worn), start=math.hypot(*worn) * rng.standard_normal())
    at_work = _busy(moment, moves)
    true = electric.feeder_current(electric.Feeder(), moment.count, moment.sensor.window_rate, moves[at_work].tolist(),
                                   errors[at_work])
    return reading(moment, true, CLAMP, rng)


def blower_current(moment: Moment) -> Trace:
    """Current of a zone's blower: a failing bearing costs torque, and grabs when a ball meets its spall."""
    amps = couplings.blower_amps(wearing.condition(moment, "zone_blower_bearing", moment.module))
    motor = electric.InductionMotor(pole_pairs=1, power=370.0, rated_current=2.6, no_load=0.5)
    return _motor(moment, motor, float(amps), wearing.blower(moment))


def belt_current(moment: Moment) -> Trace:
    """Current of the conveyor's motor, likewise."""
    amps = couplings.belt_amps(wearing.condition(moment, "conveyor_bearing"), HALF_FULL)
    motor = electric.InductionMotor(power=180.0, rated_current=1.6, no_load=0.55)
    return _motor(moment, motor, float(amps), wearing.belt(moment))


def _motor(moment: Moment, motor: electric.InductionMotor, amps: float, run: Running) -> Trace:
    """Current whose RMS is ``amps`` [A] without ripple; every spall brakes the shaft in step with its strikes."""
    rng, rate = moment.rng(), moment.sensor.window_rate
    load = math.sqrt((amps / motor.rated_current) ** 2 - motor.no_load ** 2) / math.sqrt(1 - motor.no_load ** 2)
    ripple: F64 = np.zeros(moment.count)
    for part, (times, _) in spalls(run, moment.seconds).items():
        step = np.interp(_time(moment), times, np.arange(float(len(times))))
        ripple += (GRAB * run.faults[part] * np.cos((2 * math.pi * (step % 1)).astype(np.float32)))
    true = electric.motor_current(motor, moment.count, rate, load, ripple=ripple, phase=rng.uniform(0, 2 * math.pi))
    return reading(moment, true, CLAMP, rng)


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

__all__ = ["SIGNALS", "hood"]
