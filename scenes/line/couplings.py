"""couplings: what a severity does to the machine it sits in, and so to the process and to the instruments.

One function per physical effect, vectorised over severity; process and sensors (``quantities.py``) both call it, so that they
cannot disagree. Names of process settings are those of ``scenes.smt.process.DRIFTS``.
Numbers without a source are engineering defaults.
"""
from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenes.constants import ATMOSPHERE
from scenes.line.drifts import parameters
from scenes.line.model import Line

F64 = NDArray[np.float64]

AMBIENT = 25.0                                 # [°C]
NOZZLES, FEEDERS = 8, 12                       # of one placement machine, as in scenes.smt.process

FORCE = 80.0                                   # [N] of a squeegee stroke, as in scenes.smt.printing
OFFSET = 8e-6                                  # [m] per axis of a print from board to board, as in scenes.smt.process
VACUUM_LIMIT, VACUUM_SCALE = -48e3, 2e3        # [Pa] at which a part falls off every other time, and how sharply
RETRIES, FALL_RETRIES = 0.02, 10.0             # picks repeated per part; more where it falls off; all as in smt.placement

HEATER_DUTY = 0.7                              # [1] of a heater's power that a zone needs when nothing is wrong
# zones of the reference oven [°C] (domain reference 3.4), as in scenes.smt.oven
SETPOINTS = (110.0, 140.0, 160.0, 175.0, 190.0, 225.0, 248.0, 252.0, 130.0, 60.0)
FAN_LAW = 0.8                                  # Nusselt number of turbulent flow over a plate ∝ Re^0.8
PLENUM_DROP = 10.0                             # [K] between plenum and board at full flow: what the air gives away on its way
BELT_SPEED = 0.70 / 60                         # [m/s] as in scenes.smt.oven
BELT_SLIP = 0.01                               # [1] of the belt's speed that a seized roller costs
SHAKE = 0.2                                    # [m/s²] RMS of a healthy belt; 0.05–0.5 (domain reference 3.5)

BLOWER_SHAKE, WORN_SHAKE = 0.72, 6.6           # [m/s²] RMS: 0.073 g healthy, 0.67 g spalled, as on real data (reference 5.2)
BLOWER_VELOCITY, WORN_VELOCITY = 0.6e-3, 6e-3  # [m/s] RMS: zone A when new, zone D at the end (ISO 10816-1 class I)
BLOWER_AMPS, WORN_AMPS = 2.0, 1.2              # [A] RMS of the fan's torque; of a failed bearing's friction
BELT_AMPS, WORN_BELT_AMPS, LOAD_AMPS = 1.2, 0.6, 0.1      # [A] RMS of the belt; of a failed bearing; of a full oven
HALL_LEVEL, IDLE_HALL = 66.0, 52.0             # [dB] beside the conveyor while the oven runs; while it does not
KNOCK_LEVEL = 52.0                             # [dB] of a belt that shakes by SHAKE, at the same place

HEADER = 0.65e6                                # [Pa] gauge of the compressed-air header
REGULATED = 0.5e6                              # [Pa] gauge at the machine
LINE_CONDUCTANCE = 1.5e-8                      # [m³/(s Pa)] sonic conductance of hose, filter and regulator (ISO 6358)
CRITICAL = 0.3                                 # [1] their critical pressure ratio b, 0.2–0.5 (domain reference 5.6)
CONSUMPTION = 3.3e-3                           # [m³/s] ANR of one placement machine: 200 l/min
DROOP = 5e3                                    # [Pa] by which the regulated pressure falls per nominal flow more than nominal
VACUUM, WORN_VACUUM = -80e3, 25e3              # [Pa] gauge of a new nozzle; lost by a worn one: −80 → −55 kPa
AIR_LEVEL, BUSY_AIR = 40.0, 3.0                # [dB] around 40 kHz of valves and nozzles at rest; [1] of that power at work
JET_LEVEL, JET_CONDUCTANCE = 80.0, 1.8e-8      # [dB] around 40 kHz of a leak of [m³/(s Pa)]
FULL_VACUUM = 0.45e6                           # [Pa] gauge supply from which on an ejector gives its full vacuum


def combined(*severity: F64) -> F64:
    """The severity of a part with several things wrong: each takes its share of what the others leave."""
    left: F64 = np.ones(())
    for s in severity:
        left = left * (1 - s)
    return 1 - left


def clog(left: ArrayLike, per_board: ArrayLike, since_wipe: ArrayLike) -> F64:
    """Share of every opening's area ratio that dried paste takes [1]: what wipes leave, and what comes per board since."""
    found: F64 = np.minimum(np.asarray(left, np.float64) + np.asarray(per_board) * np.asarray(since_wipe, np.float64), 0.9)
    return found


def paste_share(ratio: ArrayLike, clogged: ArrayLike, gasket: ArrayLike, force_loss: ArrayLike) -> F64:
    """Printed volume over that of a healthy print [1] for an opening of this area ratio, as ``scenes.smt.printing`` has it.

    ``clogged``: share of the area ratio; ``gasket``: lift over the stencil's thickness; ``force_loss``: share of the force, [1].
    """
    healthy = np.asarray(ratio, np.float64)
    now, then = (1 / (1 + np.exp(-(r - 0.50) / 0.066)) for r in (healthy * (1 - np.asarray(clogged)), healthy))
    found: F64 = now / then * (1 + np.asarray(gasket)) * (1 - 0.25 * np.asarray(force_loss))
    return found


def heat_held(lost: ArrayLike, needed: ArrayLike = HEATER_DUTY) -> F64:
    """Share of a zone's rise over ambient that its heater holds [1]: 1 until the power left is less than what is needed.

    ``lost``, ``needed``: shares of the heater's nominal power [1].
    """
    found: F64 = np.minimum((1 - np.asarray(lost, np.float64)) / np.asarray(needed, np.float64), 1.0)
    return found


def zone_sag(held: ArrayLike, speed: ArrayLike, setpoint: float) -> F64:
    """How much colder than its setpoint a zone's gas is at the board [K]: heat it cannot hold, and air that comes slowly."""
    cold = (1 - np.asarray(held, np.float64)) * (setpoint - AMBIENT)
    found: F64 = cold + PLENUM_DROP * (1 / np.asarray(speed, np.float64) - 1) * np.sign(setpoint - AMBIENT)
    return found


def supply(leak: ArrayLike, header: ArrayLike = HEADER, consumption: ArrayLike = CONSUMPTION) -> tuple[F64, F64]:
    """Pressure at a placement machine [Pa gauge] and flow to it [m³/s ANR] with a leak of sonic conductance ``leak``.

    ISO 6358 through the supply line, C p1 √(1 − ((r − b)/(1 − b))²) for a pressure ratio r > b, equals what the machine uses
    plus the choked leak C_leak p. A quadratic in r; choked below b. The regulator caps the pressure, drooping as flow rises.
    """
    p1 = np.asarray(header, np.float64) + ATMOSPHERE
    use, leak = np.asarray(consumption, np.float64), np.asarray(leak, np.float64)
    used, hole = use / (LINE_CONDUCTANCE * p1), leak / LINE_CONDUCTANCE
    w = (1 - CRITICAL)**2                                                 # w (used + hole r)² + (r − b)² = w
    a, b, c = w * hole**2 + 1, w * used * hole - CRITICAL, w * (used**2 - 1) + CRITICAL**2
    ratio = (-b + np.sqrt(np.maximum(b * b - a * c, 0))) / a
    choked = (1 - used) / np.maximum(hole, 1e-30)
    cap = REGULATED - DROOP * np.maximum((use + leak * (REGULATED + ATMOSPHERE)) / CONSUMPTION - 1, 0)
    pressure = np.clip(np.where(ratio > CRITICAL, ratio, np.minimum(choked, CRITICAL)) * p1 - ATMOSPHERE, 0.0, cap)
    return pressure, use + leak * (pressure + ATMOSPHERE)


def vacuum(wear: ArrayLike, pressure: ArrayLike) -> F64:
    """Vacuum at a closed nozzle [Pa gauge, negative], by its wear [1] and the supply's pressure [Pa gauge]."""
    strength = np.clip(np.asarray(pressure, np.float64) / FULL_VACUUM, 0.0, 1.0)
    found: F64 = (VACUUM + WORN_VACUUM * np.asarray(wear, np.float64)) * strength
    return found


def shake(knocks: ArrayLike) -> F64:
    """Acceleration RMS of the belt [m/s²], by that of the knocks of a bad roller."""
    found: F64 = np.hypot(SHAKE, np.asarray(knocks, np.float64))
    return found


def blower_motion(severity: ArrayLike, turns: ArrayLike) -> tuple[F64, F64]:
    """Vibration of a blower, RMS [m/s²] and [m/s], by the severity of its bearing [1] and its speed over the nominal one [1]."""
    worn, slow = np.asarray(severity, np.float64), np.sqrt(np.maximum(np.asarray(turns, np.float64), 0.0))
    return np.hypot(BLOWER_SHAKE, WORN_SHAKE * worn) * slow, np.hypot(BLOWER_VELOCITY, WORN_VELOCITY * worn) * slow


def blower_amps(severity: ArrayLike) -> F64:
    """Current of a blower's motor [A RMS]: torque, of the fan and of the bearing's friction."""
    found: F64 = BLOWER_AMPS + WORN_AMPS * np.asarray(severity, np.float64)
    return found


def belt_amps(severity: ArrayLike, load: ArrayLike) -> F64:
    """Current of the conveyor's motor [A RMS]: friction, and the weight of the boards in an oven filled by ``load`` [1]."""
    found: F64 = BELT_AMPS + WORN_BELT_AMPS * np.asarray(severity, np.float64) + LOAD_AMPS * np.asarray(load)
    return found


def knock_power(shaken: ArrayLike) -> F64:
    """Mean square of the sound of the belt's drive alone, over that of 0 dB [1]: it goes with that of the acceleration [m/s²]."""
    found: F64 = 10**(KNOCK_LEVEL / 10) * (np.asarray(shaken, np.float64) / SHAKE)**2
    return found


def jet_power(leak: ArrayLike) -> F64:
    """Mean square of the sound of a leak around 40 kHz, over that of 0 dB [1]: it goes with its opening [m³/(s Pa)]."""
    found: F64 = 10**(JET_LEVEL / 10) * (np.asarray(leak, np.float64) / JET_CONDUCTANCE)
    return found


def number(module: str) -> int:
    """The number in a module's name: 3 of "nozzle3"."""
    found = re.search(r"\d+$", module)
    return int(found[0]) if found else 1


def process_drifts(line: Line, severity: F64, since_wipe: int, visited: Collection[str] | None = None) -> dict[str, float]:
    """Process settings of a unit that is made with the line in this condition.

    Args:
        severity: [1], shape (D,), of ``line.drifts``.
        since_wipe: boards since the last under-stencil wipe when the unit was printed.
        visited: ids of the stations that the unit passed; None: all. What drifts elsewhere does not touch it.

    Returns:
        Values by the names of ``scenes.smt.process.DRIFTS``, for ``Family.process``. Drifts of one setting add up, factors
        multiply. A line with several placement machines has their nozzles and feeders numbered through.
    """
    machines = [s.station for s in line.stations if s.kind == "placement"]
    out: dict[str, float] = {"printer.boards_since_wipe": float(min(since_wipe, 200))}
    if len(machines) > 1:
        out["placement.machines"] = float(len(machines))
    held: dict[int, float] = {}
    speed: dict[int, float] = {}

    def add(name: str, value: float, most: float) -> None:
        out[name] = min(out.get(name, 0.0) + value, most)

    for drift, s in zip(line.drifts, severity.tolist(), strict=True):
        if s <= 0 or (visited is not None and drift.station not in visited):
            continue
        p, n = parameters(drift), number(drift.module)
        machine = machines.index(drift.station) if drift.station in machines else 0
        if drift.kind == "stencil_clog":
            add("printer.clog", float(clog(p["clog"] * s, p["clog_per_board"] * s, since_wipe)), 0.9)
        elif drift.kind == "squeegee_wear":
            add("printer.gasket_um", p["gasket"] * s * 1e6, 150.0)
            out["printer.force_factor"] = max(out.get("printer.force_factor", 1.0) * (1 - p["force_loss"] * s), 0.3)
        elif drift.kind == "nozzle_wear":
            add(f"placement.nozzle{machine * NOZZLES + n}_wear", p["wear"] * s, 1.0)
        elif drift.kind == "feeder_pitch":
            add(f"placement.feeder{machine * FEEDERS + n}_pitch_um", p["pitch"] * s * 1e6, 1000.0)
        elif drift.kind == "air_leak":
            pressure, _ = supply(p["conductance"] * s)
            add(f"placement.supply{machine + 1}_loss_kpa", (REGULATED - float(pressure)) * 1e-3, 500.0)
        elif drift.kind == "conveyor_bearing":
            out["oven.speed_factor"] = out.get("oven.speed_factor", 1.0) * (1 - BELT_SLIP * s)
            out["oven.shake_m_s2"] = float(np.hypot(out.get("oven.shake_m_s2", SHAKE), p["shake"] * s))
        elif drift.kind == "zone_heater":
            held[n] = held.get(n, 1.0) * float(heat_held(p["loss"] * s))
        elif drift.kind == "zone_blower_bearing":
            speed[n] = speed.get(n, 1.0) * (1 - p["speed_loss"] * s)
    for n in sorted({*held, *speed}):
        sag = float(zone_sag(held.get(n, 1.0), speed.get(n, 1.0), SETPOINTS[n - 1]))
        out[f"oven.zone{n}_offset_c"] = max(-sag, -230.0)
        if n in speed:
            out[f"oven.zone{n}_blower_factor"] = max(speed[n]**FAN_LAW, 0.1)
    return out


def instrument_drifts(line: Line, severity: F64) -> dict[str, float]:
    """What the instruments have come to, by ``"<station>/lamp_flux"`` [1], ``"<station>/focus_error"`` [m] and
    ``"<station>/xray_flux"`` [1]. Only instruments that a drift of the line acts on are named."""
    out: dict[str, float] = {}
    for drift, s in zip(line.drifts, severity.tolist(), strict=True):
        p = parameters(drift)
        if drift.kind in ("lamp_ageing", "tube_ageing"):
            name = f"{drift.station}/{'lamp' if drift.kind == 'lamp_ageing' else 'xray'}_flux"
            out[name] = out.get(name, 1.0) * (1 - p["loss"] * s)
        elif drift.kind == "camera_focus":
            name = f"{drift.station}/focus_error"
            out[name] = out.get(name, 0.0) + p["defocus"] * s
    return out


__all__ = ["SETPOINTS", "belt_amps", "blower_amps", "blower_motion", "clog", "combined", "heat_held", "instrument_drifts",
           "jet_power", "knock_power", "number", "paste_share", "process_drifts", "shake", "supply", "vacuum", "zone_sag"]
