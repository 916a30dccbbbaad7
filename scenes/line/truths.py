"""truths: what every quantity of a line really is, second by second, before any sensor errs.

One function each: from a ``View`` (a station of a run on a grid of times), the number of the module, and a random stream for
what fluctuates for a physical reason: hands, paste, air, rolling balls, the compressor. All return (N,) in the quantity's own
unit. Between two units a station shows what it shows when idle; readings of one unit are held until the next.
Numbers without a source are engineering defaults.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scenes.line import couplings as c
from scenes.line.drifts import KINDS, parameters
from scenes.line.quantities import HEATED
from scenes.line.timeline import View, held, lagged, wander

F64 = NDArray[np.float64]

DAY = 86_400.0                                 # [s]
WARMEST = 15 / 24                              # [1] of the day
RATIOS = np.array([0.83, 0.94, 1.3, 2.0])      # [1] area ratios of a common board: QFN and BGA, 0201, 0402, larger
OVEN_SLOTS = 10                                # boards in the oven that are full load: one per zone
ZONE_POWER = 6e3                               # [W] of one zone's heater
POWER = {"printer": (1100.0, 350.0), "spi": (700.0, 300.0), "placement": (2600.0, 900.0), "aoi": (800.0, 350.0),
         "infrared": (300.0, 150.0), "axi": (2200.0, 900.0), "test": (500.0, 200.0)}   # [W] productive, standby


def _each(view: View, made: Callable[[NDArray[np.int64], F64], F64], before: float) -> F64:
    """A reading per unit, held until the next. ``made``: from numbers of units and their times, (V,) each."""
    unit, start = view.units()
    return held(view.times, start, made(unit, start), before)


def _unit_effect(view: View, start: F64, kind: str, amount: str, module: str = "") -> F64:
    """Parameter times severity when units began, (V,)."""
    run, total = view.run, np.zeros(len(start))
    for i in view.drifts(kind, module):
        total = 1 - (1 - total) * (1 - parameters(view.line.drifts[i])[amount] * run.severity_at(start)[:, i])
    return total


def _working(view: View, busy: F64 | float, idle: F64 | float) -> F64:
    return np.where(view.inside > 0, busy, idle)


# --- surroundings -------------------------------------------------------------------------------------------------------

def ambient(view: View, n: int, rng: np.random.Generator) -> F64:
    """Air of the hall [°C]: a daily wave, and what doors and the air conditioning do."""
    return _hall(view.times) + wander(view.times, 0.25, 900.0, rng)


def _hall(times: F64) -> F64:
    return c.AMBIENT + 1.5 * np.cos(2 * np.pi * (times / DAY - WARMEST))


def humidity(view: View, n: int, rng: np.random.Generator) -> F64:
    """Relative humidity [1]: the same water in warmer air."""
    return 0.45 - 0.025 * (_hall(view.times) - c.AMBIENT) + wander(view.times, 0.01, 1800.0, rng)


def power(view: View, n: int, rng: np.random.Generator) -> F64:
    """Electric power of a station by its state [W]; switched off, 3 % of standby."""
    productive, standby = POWER[view.line.station(view.station).kind]
    level = np.where(view.on, _working(view, productive, standby), 0.03 * standby)
    return level * (1 + wander(view.times, 0.01, 5.0, rng))


# --- printer and SPI ----------------------------------------------------------------------------------------------------

def _clog(view: View, unit: NDArray[np.int64], start: F64) -> F64:
    left, per_board = (_unit_effect(view, start, "stencil_clog", name) for name in ("clog", "clog_per_board"))
    return c.clog(left, per_board, view.run.since_wipe[unit])


def squeegee_force(view: View, n: int, rng: np.random.Generator) -> F64:
    """Force of a stroke [N]: half-dry paste in the openings drags; paste rolls a little differently every time."""
    def made(unit: NDArray[np.int64], start: F64) -> F64:
        return c.FORCE * (1 + 0.3 * _clog(view, unit, start)) + rng.normal(0, 1.0, len(unit))
    return _each(view, made, c.FORCE)


def squeegee_spread(view: View, n: int, rng: np.random.Generator) -> F64:
    """Standard deviation of the force along the blade during a stroke [N]: a worn edge is uneven."""
    worst = KINDS["squeegee_wear"].parameters["gasket"].default

    def made(unit: NDArray[np.int64], start: F64) -> F64:
        worn = _unit_effect(view, start, "squeegee_wear", "gasket") / worst
        return np.hypot(2.0, 8.0 * worn) * np.exp(rng.normal(0, 0.08, len(unit)))
    return _each(view, made, 2.0)


def stencil_clog(view: View, n: int, rng: np.random.Generator) -> F64:
    """Share of the openings that the under-stencil camera finds closed [1], after every print."""
    return _each(view, lambda unit, start: np.maximum(_clog(view, unit, start) + rng.normal(0.01, 0.006, len(unit)), 0), 0.01)


def paste_temperature(view: View, n: int, rng: np.random.Generator) -> F64:
    """Paste roll on the stencil [°C]: hall air, slowly, and the work that the blade puts into it."""
    return lagged(view.times, _hall(view.times) + _working(view, 0.8, 0.0), 600.0) + wander(view.times, 0.1, 300.0, rng)


def volume_mean(view: View, n: int, rng: np.random.Generator) -> F64:
    """Mean printed volume of a board over nominal [1], as SPI finds it; the printer that the board came from is what drifts."""
    def made(unit: NDArray[np.int64], start: F64) -> F64:
        clogged, lift, loss = _printed(view, unit, start)
        share = c.paste_share(RATIOS[:, None], clogged, lift / view.line.stencil, loss).mean(axis=0)
        return share * (1 + rng.normal(0, 0.012, len(unit)))
    return _each(view, made, 1.0)


def _printed(view: View, unit: NDArray[np.int64], start: F64) -> tuple[F64, F64, F64]:
    """What wear did to the print of units that this station began, (V,) each: share of the openings closed [1], lift of the
    stencil [m], share of the force lost [1]. By the printers that each had been in by then, as they were when they began it;
    several of them add up as in ``couplings.process_drifts``."""
    clogged, lift, force = np.zeros(len(unit)), np.zeros(len(unit)), np.ones(len(unit))
    for station in view.line.stations:
        if station.kind != "printer":
            continue
        printer = View(view.run, station.station, view.times)
        begun = view.run.start[unit, printer.column]
        passed = begun <= start                                           # false for NaN
        begun = np.where(passed, begun, 0.0)
        clogged += passed * _clog(printer, unit, begun)
        lift += passed * _unit_effect(printer, begun, "squeegee_wear", "gasket")
        force *= 1 - passed * _unit_effect(printer, begun, "squeegee_wear", "force_loss")
    return np.minimum(clogged, 0.9), lift, 1 - force


def print_offset(view: View, n: int, rng: np.random.Generator) -> F64:
    """Mean offset of a board's print [m]: 8 µm per axis from board to board, as the printer's own settings have it."""
    return _each(view, lambda unit, start: np.hypot(*rng.normal(0, c.OFFSET, (2, len(unit)))), 10e-6)


# --- placement ----------------------------------------------------------------------------------------------------------

def _header(times: F64) -> F64:
    """Pressure in the compressed-air header [Pa gauge]: the compressor loads at 0.63 and unloads at 0.68 MPa."""
    phase = times / 97.0 % 1
    return 0.63e6 + 0.05e6 * np.where(phase < 0.3, phase / 0.3, (1 - phase) / 0.7)


def _air(view: View, header: F64) -> tuple[F64, F64]:
    return c.supply(view.total("air_leak", "conductance"), header, c.CONSUMPTION * _working(view, 1.0, 0.3))


def air_pressure(view: View, n: int, rng: np.random.Generator) -> F64:
    """Compressed air at the machine [Pa gauge]."""
    return _air(view, _header(view.times))[0] + wander(view.times, 400.0, 3.0, rng)


def air_flow(view: View, n: int, rng: np.random.Generator) -> F64:
    """Compressed air that the machine takes [m³/s ANR]."""
    return _air(view, _header(view.times))[1] * (1 + wander(view.times, 0.03, 4.0, rng))


def ultrasound(view: View, n: int, rng: np.random.Generator) -> F64:
    """Level around 40 kHz at the machine [dB]: the power of a leak's jet goes with its opening."""
    jet = c.jet_power(view.total("air_leak", "conductance"))
    return 10 * np.log10(10**(c.AIR_LEVEL / 10) * _working(view, c.BUSY_AIR, 1.0) + jet) + wander(view.times, 0.8, 2.0, rng)


def nozzle_vacuum(view: View, n: int, rng: np.random.Generator) -> F64:
    """Vacuum of a nozzle that holds a part [Pa gauge], mean over a cycle; open to the hall while idle."""
    pressure = c.supply(view.total("air_leak", "conductance"))[0]
    level = c.vacuum(view.effect("nozzle_wear", "wear", f"nozzle{n}"), pressure)
    return _working(view, level * (1 + wander(view.times, 0.008, 20.0, rng)), -500.0)


def nozzle_retries(view: View, n: int, rng: np.random.Generator) -> F64:
    """Picks that one nozzle had to repeat on the last unit [1]. Eight parts per nozzle and unit; as in scenes.smt.placement."""
    def made(unit: NDArray[np.int64], start: F64) -> F64:
        leak = sum((parameters(view.line.drifts[i])["conductance"] * view.run.severity_at(start)[:, i]
                    for i in view.drifts("air_leak")), np.zeros(len(start)))
        vacuum = c.vacuum(_unit_effect(view, start, "nozzle_wear", "wear", f"nozzle{n}"), c.supply(leak)[0])
        fall = 1 / (1 + np.exp(-(vacuum - c.VACUUM_LIMIT) / c.VACUUM_SCALE))
        return rng.poisson(8 * (c.RETRIES + c.FALL_RETRIES * fall)).astype(np.float64)
    return _each(view, made, 0.0)


def head_acceleration(view: View, n: int, rng: np.random.Generator) -> F64:
    """Acceleration RMS at the placement head [m/s²]: its own travel, and the play of worn nozzle spindles."""
    play = sum((view.effect("nozzle_wear", "wear", f"nozzle{k}")**2 for k in range(1, c.NOZZLES + 1)), np.zeros(1))
    return _working(view, np.hypot(12.0, 5.0 * np.sqrt(play)), 0.05) * np.exp(wander(view.times, 0.03, 30.0, rng))


def head_motor(view: View, n: int, rng: np.random.Generator) -> F64:
    """Winding of the head's linear motor [°C]: R·I² through a thermal resistance."""
    return _hall(view.times) + lagged(view.times, _working(view, 32.0, 4.0), 1500.0) + wander(view.times, 0.3, 300.0, rng)


def feeder_current(view: View, n: int, rng: np.random.Generator) -> F64:
    """Peak current of a feeder's motor at the last unit [A]; its pitch error wanders as a first-order process."""
    worst = KINDS["feeder_pitch"].parameters["pitch"].default

    def made(unit: NDArray[np.int64], start: F64) -> F64:
        worn = _unit_effect(view, start, "feeder_pitch", "pitch", f"feeder{n}") / worst
        return 0.4 + 0.25 * worn + (0.01 + 0.03 * worn) * wander(np.arange(float(len(unit) or 1)), 1.0, 10.0, rng)[:len(unit)]
    return _each(view, made, 0.4)


# --- oven ---------------------------------------------------------------------------------------------------------------

def _load(view: View) -> F64:
    """Share of the oven that is filled [1]."""
    return np.minimum(view.inside / OVEN_SLOTS, 1.0)


def _needed(view: View) -> F64:
    """Share of a heater's power that its zone needs [1]; empty, four fifths of what it needs full."""
    return c.HEATER_DUTY * (0.8 + 0.2 * lagged(view.times, _load(view), 60.0))


def zone_temperature(view: View, n: int, rng: np.random.Generator) -> F64:
    """Gas of a zone at the board [°C]: what the heater holds, less what comes late with a slow fan; boards cool it in passing."""
    zone, setpoint = f"zone{n}", c.SETPOINTS[n - 1]
    held_ = c.heat_held(view.effect("zone_heater", "loss", zone), _needed(view))
    sag = c.zone_sag(held_, 1 - view.effect("zone_blower_bearing", "speed_loss", zone), setpoint)
    dip = np.sign(setpoint - c.AMBIENT) * (lagged(view.times, _load(view), 15.0) - 0.5) * 1.2
    on = lagged(view.times, view.on.astype(np.float64), 900.0)
    hall = _hall(view.times)
    control = setpoint + 0.05 * (hall - c.AMBIENT) - lagged(view.times, np.broadcast_to(sag, hall.shape), 120.0) - dip
    return hall + on * (control - hall) + wander(view.times, 0.3, 40.0, rng)


def zone_duty(view: View, n: int, rng: np.random.Generator) -> F64:
    """Duty of a zone's heater [1]: power needed over power left, until it is always on."""
    left = 1 - view.effect("zone_heater", "loss", f"zone{n}")
    need = _needed(view) * (1 + wander(view.times, 0.01, 60.0, rng))
    return np.where(view.on, np.minimum(need / left, 1.0), 0.0)


def _turns(view: View, n: int) -> F64:
    """Speed of a blower over its nominal one [1]; 0 when the oven is off."""
    return view.on * (1 - view.effect("zone_blower_bearing", "speed_loss", f"zone{n}"))


def blower_current(view: View, n: int, rng: np.random.Generator) -> F64:
    """Current of a blower's motor [A]."""
    amps = c.blower_amps(view.condition("zone_blower_bearing", f"zone{n}"))
    return view.on * amps * (1 + wander(view.times, 0.01, 10.0, rng))


def blower_velocity(view: View, n: int, rng: np.random.Generator) -> F64:
    """Vibration velocity RMS of a blower, 10–1000 Hz [m/s]."""
    level = c.blower_motion(view.condition("zone_blower_bearing", f"zone{n}"), _turns(view, n))[1]
    return level * np.exp(wander(view.times, 0.06, 60.0, rng))


def blower_acceleration(view: View, n: int, rng: np.random.Generator) -> F64:
    """Vibration acceleration RMS of a blower [m/s²]."""
    level = c.blower_motion(view.condition("zone_blower_bearing", f"zone{n}"), _turns(view, n))[0]
    return level * np.exp(wander(view.times, 0.05, 30.0, rng))


def bearing_temperature(view: View, n: int, rng: np.random.Generator) -> F64:
    """Housing of a blower's bearing [°C]: friction adds 5 to 30 K (domain reference 5.7), and the zone warms it."""
    friction = 8.0 + 25.0 * view.condition("zone_blower_bearing", f"zone{n}")
    target = view.on * (0.12 * (c.SETPOINTS[n - 1] - c.AMBIENT) + friction)
    return _hall(view.times) + lagged(view.times, target, 1200.0) + wander(view.times, 0.4, 300.0, rng)


def belt_speed(view: View, n: int, rng: np.random.Generator) -> F64:
    """Belt [m/s]: the motor slips under friction, and a bad roller jerks."""
    s = view.condition("conveyor_bearing")
    jerk = (0.002 + 0.02 * s) * wander(view.times, 1.0, 3.0, rng)
    return view.on * c.BELT_SPEED * (1 - c.BELT_SLIP * s + jerk)


def belt_acceleration(view: View, n: int, rng: np.random.Generator) -> F64:
    """Acceleration RMS of the belt [m/s²]; 0.05–0.5 healthy (domain reference 3.5)."""
    level = c.shake(view.total("conveyor_bearing", "shake"))
    return np.where(view.on, level, 0.01) * np.exp(wander(view.times, 0.06, 20.0, rng))


def belt_sound(view: View, n: int, rng: np.random.Generator) -> F64:
    """Sound pressure level beside the conveyor [dB]: fans and hall, and the knocks of a bad roller."""
    knocks = c.knock_power(c.shake(view.total("conveyor_bearing", "shake")))
    background = np.where(view.on, 10**(c.HALL_LEVEL / 10), 10**(c.IDLE_HALL / 10))
    return 10 * np.log10(background + view.on * knocks) + wander(view.times, 0.5, 10.0, rng)


def belt_current(view: View, n: int, rng: np.random.Generator) -> F64:
    """Current of the conveyor's motor [A]."""
    pull = c.belt_amps(view.condition("conveyor_bearing"), _load(view))
    return view.on * pull * (1 + wander(view.times, 0.012, 15.0, rng))


def oven_power(view: View, n: int, rng: np.random.Generator) -> F64:
    """Electric power of the oven [W]: blowers and belt, and every heater as far as it still can."""
    need = _needed(view)
    heat = sum(np.minimum(need, 1 - view.effect("zone_heater", "loss", f"zone{k}")) for k in range(1, HEATED + 1))
    return np.where(view.on, 2500.0 + ZONE_POWER * heat, 200.0) * (1 + wander(view.times, 0.01, 30.0, rng))


# --- inspection and test ------------------------------------------------------------------------------------------------

def lamp_flux(view: View, n: int, rng: np.random.Generator) -> F64:
    """Light of the lamps over new ones [1], by the machine's own white tile; a driver's ripple moves it a little."""
    return (1 - view.effect("lamp_ageing", "loss")) * (1 + wander(view.times, 0.003, 120.0, rng))


def sharpness(view: View, n: int, rng: np.random.Generator) -> F64:
    """Width of an edge on the machine's own target over that in focus, inverted [1]."""
    away = view.total("camera_focus", "defocus")
    return 1 / np.hypot(1.0, away / 0.25e-3) * (1 + wander(view.times, 0.01, 60.0, rng))


def camera_temperature(view: View, n: int, rng: np.random.Generator) -> F64:
    """Camera housing [°C]."""
    return _hall(view.times) + lagged(view.times, np.where(view.on, 14.0, 2.0), 1200.0) + wander(view.times, 0.2, 300.0, rng)


def bright_field(view: View, n: int, rng: np.random.Generator) -> F64:
    """Mean of the X-ray detector with nothing in the beam over a new tube's [1]."""
    return (1 - view.effect("tube_ageing", "loss")) * (1 + wander(view.times, 0.004, 60.0, rng))


def tube_current(view: View, n: int, rng: np.random.Generator) -> F64:
    """Tube current [A]: regulated, whatever the target gives for it."""
    return _working(view, 200e-6, 20e-6) * (1 + wander(view.times, 0.004, 5.0, rng))


def fixture_resistance(view: View, n: int, rng: np.random.Generator) -> F64:
    """Contact resistance of the test fixture's probes [Ohm]."""
    return _each(view, lambda unit, start: 0.06 * np.exp(rng.normal(0, 0.1, len(unit))), 0.06)
