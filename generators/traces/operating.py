"""operating: the point at which a pump, fan, motor or compressor runs, faults included: what all its sensors have in common.

Causes come first: a blocked strainer lowers the suction pressure, that the cavitation number, that head and flow, and those the
torque, the slip and the current. Nothing here is random.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from generators.traces.cavitation import Cavitation, cavitation_number, head_factor, vapour_pressure
from generators.traces.electric import InductionMotor
from generators.traces.pneumatics import Compressor, Orifice, Supply, orifice_of_hole, supply_cycle
from generators.traces.thermal import BearingHeat, MotorHeat
from scenes.machines.machine import Machine
from scenes.machines.model import AirCompressor, Fan, Fault, Pump

WATER = 998.0                                  # [kg/m³]
IRON = 0.35                                    # [1] of a motor's rated loss that does not follow the current
HOUSING_RISE, WINDING_RISE = 45.0, 25.0        # [K] at rated load: housing over room, winding over housing
IDLE = 0.35                                    # [1] torque of an unloaded piston compressor over its loaded one
LEAST_COOLING = 0.35                           # [1] of the cooling that is left at severity 1
BAR_DEPTH = 0.08                               # [1] torque modulation of a cage at severity 1: three broken bars of thirty


@dataclass(frozen=True)
class Operating:
    """Where a machine runs."""
    load: float                                # [1] mean torque over rated
    speed: float                               # [Hz]
    pressure: float = 0.0                      # [Pa] absolute, a fan's over atmosphere, a compressor's at the beginning
    rise: float = 0.0                          # [Pa] made by pump or fan
    flow: float = 0.0                          # [m³/s]; ANR for a compressor, of its customers
    blade_pass: float = 0.0                    # [Hz]
    suction: float = 0.0                       # [Pa]
    cavitation: float = math.inf               # [1] cavitation number
    supply: Supply | None = None               # receiver of a compressor over the record
    leak: Orifice | None = None                # of the net
    leak_hole: float = 0.0                     # [m]


def severities(faults: tuple[Fault, ...]) -> dict[tuple[str, str], float]:
    """Severity by (kind, place)."""
    return {(f.kind, f.place): f.severity for f in faults}


def operating(machine: Machine, faults: Mapping[tuple[str, str], float], duration: float, share: float) -> Operating:
    """Where a machine runs for ``duration`` [s].

    ``share`` [1] says where in its cycle a compressor is at the beginning.
    """
    drive = machine.drive
    fluid = machine.fluid
    if isinstance(fluid, Pump):
        return _pump(machine, fluid, faults.get(("suction_blocked", ""), 0.0))
    if isinstance(fluid, Fan):
        return _fan(machine, fluid, faults.get(("filter_clogged", ""), 0.0))
    if isinstance(fluid, AirCompressor):
        return _compressor(machine, fluid, faults, duration, share)
    return Operating(machine.load, drive.speed(machine.load))


def pump_cavitation(pump: Pump) -> Cavitation:
    """How this pump cavitates."""
    return Cavitation(pump.inception, pump.breakdown)


def _pump(machine: Machine, pump: Pump, blocked: float) -> Operating:
    drive, model = machine.drive, pump_cavitation(pump)
    speed = drive.speed(machine.load)
    tip = math.pi * pump.impeller * speed
    worst = vapour_pressure(pump.water) + 0.9 * pump.breakdown * 0.5 * WATER * tip ** 2      # just below 3 % head loss
    suction = pump.suction + blocked * min(worst - pump.suction, 0.0)
    number = cavitation_number(suction, pump.water, tip, WATER)
    head = head_factor(number, model)
    load = machine.load * head ** 1.5                                     # flow ∝ √head through a fixed system, torque ∝ both
    return Operating(load, drive.speed(load), suction + pump.rise * head, pump.rise * head, pump.flow * math.sqrt(head),
                     pump.vanes * drive.speed(load), suction, number)


def _fan(machine: Machine, fan: Fan, clogged: float) -> Operating:
    def point(more: float) -> tuple[float, float]:
        flow = math.sqrt(fan.greatest_pressure / (fan.resistance + more + fan.greatest_pressure / fan.greatest_flow ** 2))
        return flow, fan.greatest_pressure * (1 - (flow / fan.greatest_flow) ** 2)
    clean, (flow, pressure) = point(0.0)[0], point(fan.clogged * clogged)
    load = machine.load * (0.4 + 0.6 * flow / clean)                      # a radial fan is relieved by throttling
    speed = machine.drive.speed(load)
    return Operating(load, speed, pressure, pressure, flow, fan.blades * speed)


def _compressor(machine: Machine, c: AirCompressor, faults: Mapping[tuple[str, str], float], duration: float,
                share: float) -> Operating:
    hole = c.leak * math.sqrt(faults.get(("air_leak", ""), 0.0))          # its area grows in proportion
    leak = orifice_of_hole(hole) if hole > 0 else None
    delivery = c.delivery * (1 - c.worn * faults.get(("valve_wear", ""), 0.0))
    made = Compressor(delivery, c.receiver, c.on, c.off)
    supply = supply_cycle(duration, made, c.demand, leak, share)
    loaded = supply.loaded_share(duration)
    load = machine.load * (loaded + IDLE * (1 - loaded))
    return Operating(load, machine.drive.speed(load), float(supply.pressure(0.0)), 0.0, c.demand, 0.0, supply=supply, leak=leak,
                     leak_hole=hole)


def induction_motor(machine: Machine, faults: Mapping[tuple[str, str], float]) -> InductionMotor:
    """The motor's electric side."""
    d = machine.drive
    depth = BAR_DEPTH * faults.get(("broken_bar", ""), 0.0)
    return InductionMotor(d.mains, d.pole_pairs, d.power, d.slip, d.current, unbalance=depth)


def motor_heat(machine: Machine, point: Operating, faults: Mapping[tuple[str, str], float]) -> tuple[float, float]:
    """(winding, housing) [°C] when it has run for hours."""
    d = machine.drive
    loss = d.power * (1 / d.efficiency - 1)
    motor = MotorHeat(inside=(1 - IRON) * loss / WINDING_RISE, outside=loss / HOUSING_RISE, room=machine.surroundings.temperature)
    current = induction_motor(machine, faults).current(point.load) / d.current
    cooling = 1 - (1 - LEAST_COOLING) * faults.get(("cooling_blocked", ""), 0.0)
    return motor.steady((1 - IRON) * loss * current ** 2, IRON * loss, cooling)


def bearing_damage(faults: Mapping[tuple[str, str], float], place: str) -> float:
    """[1] the worst spall of a bearing."""
    return max((s for (kind, where), s in faults.items() if where == place and kind.startswith("bearing_")), default=0.0)


def bearing_heat(machine: Machine, place: str) -> BearingHeat:
    """Friction and heat of one bearing; the load of its seat follows the machine's."""
    b = machine.bearing(place)
    return BearingHeat(b.bore, b.load)


__all__ = ["Operating", "bearing_damage", "bearing_heat", "induction_motor", "motor_heat", "operating", "pump_cavitation",
           "severities"]
