"""model: a pump, motor, fan or compressor as values: what turns, what carries it, what it moves, what can fail, what is measured.

Severity is 0 for new and 1 where the part has failed. Times are seconds; frequencies Hz; temperatures °C; pressures Pa absolute.
Numbers without a source in the defaults are engineering defaults.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

MachineType = Literal["pump", "motor", "fan", "compressor"]
TYPES: tuple[MachineType, ...] = ("pump", "motor", "fan", "compressor")
Direction = Literal["horizontal", "vertical", "axial"]
DIRECTIONS: tuple[Direction, ...] = ("horizontal", "vertical", "axial")


@dataclass(frozen=True)
class FaultKind:
    """One way in which machines fail."""
    name: str
    title: str
    types: tuple[MachineType, ...] = TYPES     # that can have it
    bearing: bool = False                      # belongs to one bearing


_KINDS = (
    FaultKind("bearing_outer", "spall on the outer ring", bearing=True),
    FaultKind("bearing_inner", "spall on the inner ring", bearing=True),
    FaultKind("bearing_ball", "spall on a rolling element", bearing=True),
    FaultKind("bearing_cage", "broken cage", bearing=True),
    FaultKind("unbalance", "mass off the axis"),
    FaultKind("misalignment", "coupling out of line", ("pump", "fan", "compressor")),
    FaultKind("looseness", "loose foot"),
    FaultKind("broken_bar", "broken bars of the motor's cage"),
    FaultKind("cooling_blocked", "dirt on the motor's cooling fins"),
    FaultKind("suction_blocked", "blocked suction strainer: the pump cavitates", ("pump",)),
    FaultKind("filter_clogged", "clogged filter before the fan", ("fan",)),
    FaultKind("air_leak", "leak in the compressed-air net", ("compressor",)),
    FaultKind("valve_wear", "worn valves: less is delivered", ("compressor",)),
)
FAULTS: Mapping[str, FaultKind] = MappingProxyType({k.name: k for k in _KINDS})

UNITS: Mapping[str, str] = MappingProxyType({              # quantity: unit
    "vibration": "m/s²", "sound": "Pa", "sound_level": "dB", "ultrasonic_level": "dB", "pressure": "Pa", "flow": "m³/s",
    "temperature": "°C", "current": "A", "speed": "Hz"})
FAST = ("vibration", "sound", "current")       # a reading stands for itself; of the others a history is enough
HEARD_RATE = 25_600.0                          # [Hz] of the sound that levels are taken of


@dataclass(frozen=True)
class MachineBearing:
    """A rolling bearing, by its data sheet."""
    id: str                                    # "drive_end"
    type: str                                  # "6205"
    elements: int
    ball: float                                # [m] diameter
    pitch: float                               # [m] diameter
    bore: float                                # [m]
    angle: float = 0.0                         # [rad] nominal contact angle
    load: float = 600.0                        # [N] equivalent


@dataclass(frozen=True)
class Resonance:
    """One mode of housing and foot, as an accelerometer on a bearing's housing knows it."""
    frequency: float                           # [Hz]
    damping: float                             # [1]
    mass: float                                # [kg] modal
    shape: tuple[float, float, float] = (1.0, 1.0, 0.3)     # [1] horizontal, vertical, axial


@dataclass(frozen=True)
class Drive:
    """The induction motor. Speed follows from mains, poles, slip and load."""
    mains: float = 50.0                        # [Hz]
    pole_pairs: int = 2
    power: float = 5500.0                      # [W] rated
    slip: float = 0.03                         # [1] rated
    current: float = 10.5                      # [A] RMS, rated
    efficiency: float = 0.88                   # [1] rated
    bars: int = 28                             # of the cage

    def speed(self, load: float) -> float:
        """Shaft speed [Hz] at a load [1]."""
        return self.mains / self.pole_pairs * (1 - self.slip * load)


@dataclass(frozen=True)
class Rotor:
    """What turns."""
    mass: float = 18.0                         # [kg]
    grade: float = 6.3e-3                      # [m/s] ISO 21940 balance quality: 6.3 mm/s is G6.3
    coupling: float = 300.0                    # [N] radial force at twice the speed when the coupling is at its worst
    roughness: float = 3e-3                    # [N/√Hz] white force of rolling and of flow


@dataclass(frozen=True)
class Surroundings:
    """Where it stands: sound and air temperature."""
    size: tuple[float, float, float] = (12.0, 8.0, 4.0)     # [m] of the room
    absorption: float = 0.2                    # [1] of its walls
    machine: tuple[float, float, float] = (3.1, 3.3, 0.8)   # [m] in the room
    temperature: float = 25.0                  # [°C]
    noise: float = 62.0                        # [dB] pink background
    area: float = 0.5                          # [m²] of the machine that radiates


@dataclass(frozen=True)
class Pump:
    """A centrifugal pump for water at its nominal point."""
    vanes: int = 6
    impeller: float = 0.20                     # [m] diameter
    flow: float = 8.0e-3                       # [m³/s]
    rise: float = 250e3                        # [Pa] discharge over suction
    suction: float = 95e3                      # [Pa] absolute, at the inlet, strainer clean
    water: float = 20.0                        # [°C]
    inception: float = 0.45                    # [1] cavitation number
    breakdown: float = 0.20                    # [1] cavitation number of 3 % head loss
    pulsation: float = 0.01                    # [1] of the rise, RMS at the blade-pass frequency


@dataclass(frozen=True)
class Fan:
    """A fan on a duct with a filter. Curve: p = p_max·(1 − (q / q_max)²); duct and filter: p = R·q²."""
    blades: int = 9
    greatest_pressure: float = 900.0           # [Pa] at no flow
    greatest_flow: float = 2.4                 # [m³/s] against nothing
    resistance: float = 180.0                  # [Pa·s²/m⁶] of the duct and a clean filter
    clogged: float = 1500.0                    # [Pa·s²/m⁶] more at severity 1
    pulsation: float = 0.01                    # [1] of the pressure, RMS at the blade-pass frequency


@dataclass(frozen=True)
class AirCompressor:
    """A piston compressor with its receiver, between two switch points."""
    cylinders: int = 2
    delivery: float = 0.0135                   # [m³/s ANR]
    receiver: float = 0.5                      # [m³]
    on: float = 751_325.0                      # [Pa absolute]
    off: float = 851_325.0                     # [Pa absolute]
    demand: float = 0.006                      # [m³/s ANR]
    leak: float = 2e-3                         # [m] diameter of the hole at severity 1
    leak_distance: float = 2.0                 # [m] from the hole to the leak detector
    stroke: float = 0.02                       # [N·s] knock of a piston
    worn: float = 0.4                          # [1] of the delivery that worn valves lose at severity 1


@dataclass(frozen=True)
class Fault:
    """Something that is wrong. ``kind`` is a key of ``FAULTS``."""
    kind: str
    severity: float                            # [1] 0 … 1
    place: str = ""                            # id of the bearing, for bearing faults


@dataclass(frozen=True)
class MachineSensor:
    """One measured channel."""
    channel: str                               # "pump1/drive_end/vibration"
    quantity: str                              # key of UNITS
    unit: str
    place: str = ""                            # bearing's id; "winding" or "housing" for temperatures
    direction: Direction = "horizontal"        # of an accelerometer
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)  # [m] of a microphone in the room
    rate: float = 1.0                          # [Hz]
    low: float = -math.inf                     # range, in ``unit``
    high: float = math.inf
    bandwidth: float = math.inf                # [Hz]
    resolution: float = 0.0                    # in ``unit``
    noise: float = 0.0                         # standard deviation, in ``unit``
    dropout: float = 0.0                       # [1] share of readings that get lost
    clock_offset: float = 0.0                  # [s] by which its clock is fast


__all__ = ["DIRECTIONS", "FAST", "FAULTS", "HEARD_RATE", "TYPES", "UNITS", "AirCompressor", "Drive", "Fan", "Fault", "FaultKind",
           "MachineBearing", "MachineSensor", "MachineType", "Pump", "Resonance", "Rotor", "Surroundings"]
