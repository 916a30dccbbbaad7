"""files: the keys of a machine's YAML file, with units in their names. Checked here once; ``machine.py`` makes values of them."""
from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from scenes.constants import ATMOSPHERE
from scenes.machines.model import AirCompressor, Direction, Drive, Fan, MachineBearing, Pump, Resonance, Rotor, Surroundings

ID = r"^[A-Za-z][A-Za-z0-9_-]*$"
Place = tuple[float, float, float]
BAR = 1e5                                      # [Pa]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class BearingFile(_File):
    """A rolling bearing, by its data sheet."""
    id: str = Field(pattern=ID)
    type: str = Field(max_length=40, description="as printed on it: '6205'")
    elements: int = Field(ge=3, le=200)
    ball_mm: float = Field(gt=0.3, le=200, description="diameter of a rolling element")
    pitch_mm: float = Field(gt=1, le=2000, description="diameter of the circle of their centres")
    bore_mm: float = Field(gt=0.5, le=2000)
    angle_deg: float = Field(0.0, ge=0, lt=60, description="nominal contact angle")
    load_n: float = Field(600.0, gt=0, le=1e7)

    def value(self) -> MachineBearing:
        """In SI units. Raises ValueError where the balls cannot fit."""
        if self.elements * self.ball_mm > math.pi * self.pitch_mm:
            raise ValueError(f"{self.elements} balls of {self.ball_mm:g} mm do not fit on a circle of {self.pitch_mm:g} mm; "
                             "check elements, ball_mm and pitch_mm")
        return MachineBearing(self.id, self.type, self.elements, self.ball_mm * 1e-3, self.pitch_mm * 1e-3, self.bore_mm * 1e-3,
                              math.radians(self.angle_deg), self.load_n)


class ModeFile(_File):
    """A resonance of housing and foot."""
    frequency_hz: float = Field(gt=1, le=50_000)
    damping: float = Field(0.03, gt=0.001, lt=0.5)
    mass_kg: float = Field(gt=0, le=1e6, description="modal, at a bearing's housing")
    shape: Place = Field((1.0, 1.0, 0.3), description="horizontal, vertical, axial")

    def value(self) -> Resonance:
        """In SI units."""
        return Resonance(self.frequency_hz, self.damping, self.mass_kg, self.shape)


class DriveFile(_File):
    """The induction motor; speed follows from mains, poles, slip and load."""
    mains_hz: float = Field(50.0, gt=1, le=1000)
    pole_pairs: int = Field(2, ge=1, le=24)
    power_kw: float = Field(5.5, gt=0.01, le=20_000)
    slip: float = Field(0.03, gt=0, lt=0.2, description="at rated load")
    current_a: float = Field(10.5, gt=0, le=20_000, description="RMS at rated load")
    efficiency: float = Field(0.88, gt=0.3, lt=1)
    bars: int = Field(28, ge=6, le=200)

    def value(self) -> Drive:
        """In SI units."""
        return Drive(self.mains_hz, self.pole_pairs, self.power_kw * 1e3, self.slip, self.current_a, self.efficiency, self.bars)


class RotorFile(_File):
    """What turns."""
    mass_kg: float = Field(18.0, gt=0, le=1e6)
    balance_mm_s: float = Field(6.3, gt=0, le=4000, description="ISO 21940 grade: 6.3 is G6.3")
    coupling_n: float = Field(300.0, ge=0, le=1e7, description="radial force at twice the speed when it is at its worst")
    roughness: float = Field(3e-3, ge=0, le=10, description="white force of rolling and flow [N/sqrt(Hz)]")

    def value(self) -> Rotor:
        """In SI units."""
        return Rotor(self.mass_kg, self.balance_mm_s * 1e-3, self.coupling_n, self.roughness)


class SurroundingsFile(_File):
    """Where it stands."""
    size_m: Place = (12.0, 8.0, 4.0)
    absorption: float = Field(0.2, ge=0.05, le=0.95)
    machine_m: Place = (3.1, 3.3, 0.8)
    temperature_c: float = Field(25.0, ge=-40, le=80)
    noise_db: float = Field(62.0, ge=0, le=120)
    area_m2: float = Field(0.5, gt=0, le=100, description="of the machine's surface that radiates")

    def value(self) -> Surroundings:
        """In SI units. Raises ValueError for a machine outside its room."""
        if not (all(1 <= s <= 200 for s in self.size_m) and inside(self.machine_m, self.size_m)):
            raise ValueError(f"machine_m {self.machine_m} must lie inside size_m {self.size_m}, whose sides are 1 to 200 m")
        return Surroundings(self.size_m, self.absorption, self.machine_m, self.temperature_c, self.noise_db, self.area_m2)


def inside(place: Place, size: Place) -> bool:
    """Whether a place lies inside a room."""
    return all(0 < x < s for x, s in zip(place, size, strict=True))


class PumpFile(_File):
    """A centrifugal pump for water."""
    vanes: int = Field(6, ge=1, le=40)
    impeller_mm: float = Field(200.0, gt=10, le=5000)
    flow_m3_h: float = Field(28.8, gt=0, le=1e5)
    rise_bar: float = Field(2.5, gt=0, le=400)
    suction_bar: float = Field(0.95, gt=0.03, le=100, description="absolute, strainer clean")
    water_c: float = Field(20.0, ge=1, le=99)
    inception: float = Field(0.45, gt=0, le=5, description="cavitation number (p - pv) / (rho u²/2) of the first bubbles")
    breakdown: float = Field(0.20, gt=0, le=5, description="cavitation number of 3 % head loss")
    pulsation: float = Field(0.01, ge=0, le=1)

    def value(self) -> Pump:
        """In SI units. Raises ValueError where cavitation would break down before it begins."""
        if self.breakdown >= self.inception:
            raise ValueError(f"breakdown {self.breakdown:g} must lie below inception {self.inception:g}; noise comes before that")
        return Pump(self.vanes, self.impeller_mm * 1e-3, self.flow_m3_h / 3600, self.rise_bar * BAR, self.suction_bar * BAR,
                    self.water_c, self.inception, self.breakdown, self.pulsation)


class FanFile(_File):
    """A fan on a duct with a filter."""
    blades: int = Field(9, ge=2, le=100)
    greatest_pressure_pa: float = Field(900.0, gt=0, le=1e5)
    greatest_flow_m3_h: float = Field(8640.0, gt=0, le=1e7)
    resistance: float = Field(180.0, gt=0, le=1e9, description="of duct and clean filter [Pa s²/m⁶]")
    clogged: float = Field(1500.0, ge=0, le=1e9, description="more at severity 1 [Pa s²/m⁶]")
    pulsation: float = Field(0.01, ge=0, le=1)

    def value(self) -> Fan:
        """In SI units."""
        return Fan(self.blades, self.greatest_pressure_pa, self.greatest_flow_m3_h / 3600, self.resistance, self.clogged,
                   self.pulsation)


class CompressorFile(_File):
    """A piston compressor with its receiver. Pressures are over atmosphere, flows ANR."""
    cylinders: int = Field(2, ge=1, le=16)
    delivery_l_min: float = Field(810.0, gt=0, le=1e6)
    receiver_l: float = Field(500.0, gt=1, le=1e6)
    on_bar: float = Field(6.5, gt=0.9, le=40)
    off_bar: float = Field(7.5, gt=0.9, le=40)
    demand_l_min: float = Field(360.0, ge=0, le=1e6)
    leak_mm: float = Field(2.0, ge=0, le=50, description="diameter of the hole at severity 1")
    leak_distance_m: float = Field(2.0, ge=0.05, le=100, description="from the hole to the leak detector")
    stroke_ns: float = Field(0.02, ge=0, le=1000, description="knock of a piston [N s]")
    worn: float = Field(0.4, ge=0, lt=1, description="share of the delivery that worn valves lose")

    def value(self) -> AirCompressor:
        """In SI units. Raises ValueError for switch points in the wrong order."""
        if self.on_bar >= self.off_bar:
            raise ValueError(f"on_bar {self.on_bar:g} must lie below off_bar {self.off_bar:g}")
        if self.demand_l_min >= self.delivery_l_min * (1 - self.worn):
            raise ValueError(f"demand_l_min {self.demand_l_min:g} is not below what worn valves still deliver, "
                             f"{self.delivery_l_min * (1 - self.worn):g} l/min; draw less, or give less 'worn'")
        return AirCompressor(self.cylinders, self.delivery_l_min / 60e3, self.receiver_l * 1e-3, self.on_bar * BAR + ATMOSPHERE,
                             self.off_bar * BAR + ATMOSPHERE, self.demand_l_min / 60e3, self.leak_mm * 1e-3, self.leak_distance_m,
                             self.stroke_ns, self.worn)


class FaultFile(_File):
    """Something that is wrong."""
    kind: str
    severity: float = Field(ge=0, le=1)
    place: str = ""


class MachineSensorFile(_File):
    """One measured channel; values in the unit of its quantity."""
    quantity: str
    place: str = ""
    direction: Direction = "horizontal"
    position_m: Place | None = Field(None, description="of a microphone in the room")
    unit: str | None = Field(None, description="to be checked; the quantity says it")
    rate_hz: Annotated[float, Field(gt=0, le=1_000_000)] = 1.0
    low: float | None = None
    high: float | None = None
    bandwidth_hz: float | None = Field(None, ge=1)
    resolution: float = Field(0.0, ge=0)
    noise: float = Field(0.0, ge=0)
    dropout: float = Field(0.0, ge=0, lt=1)
    clock_offset_s: float = Field(0.0, ge=-86_400, le=86_400)


class MachineFile(_File):
    """A machine as authored."""
    linetwin: Literal[1] = 1
    kind: Literal["machine"]
    type: Literal["pump", "motor", "fan", "compressor"]
    id: str = Field(pattern=ID)
    name: str = Field(max_length=120)
    path: str = Field("Site/Utilities", max_length=200, description="ISA-95 path of where it belongs")
    load: float = Field(0.8, gt=0, le=1.5, description="torque over the rated one")
    drive: DriveFile = DriveFile.model_validate({})
    rotor: RotorFile = RotorFile.model_validate({})
    bearings: tuple[BearingFile, ...] = Field(min_length=1, max_length=8)
    modes: tuple[ModeFile, ...] = Field(min_length=1, max_length=24)
    surroundings: SurroundingsFile = SurroundingsFile.model_validate({})
    pump: PumpFile | None = None
    fan: FanFile | None = None
    compressor: CompressorFile | None = None
    faults: tuple[FaultFile, ...] = ()
    sensors: tuple[MachineSensorFile, ...] = Field(min_length=1, max_length=64)


FILES = (BearingFile, ModeFile, DriveFile, RotorFile, SurroundingsFile, PumpFile, FanFile, CompressorFile, FaultFile,
         MachineSensorFile, MachineFile)
MACHINE_KEYS = sorted({key for file in FILES for key in file.model_fields})

__all__ = ["MACHINE_KEYS", "BearingFile", "CompressorFile", "FanFile", "FaultFile", "MachineFile", "MachineSensorFile",
           "PumpFile", "inside"]
