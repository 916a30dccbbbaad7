"""Process: every machine setting and every local cause that makes a unit what it is. Plain numbers, exact as JSON.

Healthy values are the defaults. A *drift* moves a setting for the whole unit (a worn gasket, a cold zone); a *fault* is a
local cause (one clogged aperture, one part picked askew). Neither says what will be wrong with the unit: the stages
(printing.py, placement.py, reflow.py) work that out. Values without a source are engineering defaults.
"""
from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

from scenes.errors import RecipeError
from scenes.smt.oven import Oven

NOZZLES = 8                                    # of one placement machine
FEEDERS = 12                                   # of one placement machine that part numbers are dealt to
MACHINES = 4                                   # placement machines in a row, at most
ZONES = 10                                     # of the reference oven


@dataclass(frozen=True)
class Printer:
    """Stencil printer. The stencil's thickness is the assembly's."""
    force: float = 80.0                        # [N] on a 250 mm blade; 50–125
    speed: float = 0.05                        # [m/s] 0.02–0.1
    separation: float = 0.005                  # [m/s] 0.0005–0.02; fast separation leaves paste in small openings
    offset_x: float = 0.0                      # [m] of the print against the lands
    offset_y: float = 0.0                      # [m]
    rotation: float = 0.0                      # [rad] of the print about the board's middle
    offset_std: float = 8e-6                   # [m] from board to board
    clog: float = 0.0                          # [1] of every opening's area ratio that dried paste takes away
    gasket: float = 0.0                        # [m] lift between stencil and board: more paste, and it bleeds
    wipe_interval: int = 10                    # boards between under-stencil wipes
    since_wipe: int = 3                        # boards since the last one
    noise_low: float = 0.08                    # [1] coefficient of variation of a large opening's volume
    noise_high: float = 0.15                   # [1] and of one with area ratio 0.5


@dataclass(frozen=True)
class Placement:
    """Pick-and-place machines in a row, NOZZLES nozzles each. Part c is placed by nozzle c modulo their number."""
    std: float = 12.5e-6                       # [m] per axis: 50 µm at 4σ
    rotation_std: float = math.radians(0.2)    # [rad] healthy 0.1–0.3°
    offset_x: float = 0.0                      # [m] camera or encoder drift, every nozzle
    offset_y: float = 0.0                      # [m]
    rotation: float = 0.0                      # [rad]
    bias_x: tuple[float, ...] = (2e-6, -3e-6, 1e-6, 4e-6, -2e-6, 0.0, 3e-6, -4e-6)   # [m] per nozzle
    bias_y: tuple[float, ...] = (-1e-6, 2e-6, 4e-6, -3e-6, 0.0, 3e-6, -2e-6, 1e-6)
    wear: tuple[float, ...] = (0.0,) * NOZZLES                                       # [1] per nozzle, 0 new … 1 worn out
    pitch: tuple[float, ...] = ()                                                    # [m] per feeder, standard deviation
    supply_loss: tuple[float, ...] = ()        # [Pa] of the compressed air's 0.5 MPa, per machine
    vacuum: float = -80e3                      # [Pa] gauge, of a new nozzle
    pick_failure: float = 2e-6                 # [1] probability that a part is lost with a new nozzle
    feeder_error: float = 1e-6                 # [1] probability of a wrongly lying part
    lead_std: float = 12e-6                    # [m] coplanarity of formed leads; the specification is 100 µm
    damage: float = 1e-6                       # [1] probability that a lead is bent in handling


@dataclass(frozen=True)
class Handling:
    """What happens to the surface. Rates are means per unit."""
    ball_rate: float = 0.05                    # loose balls, mostly far below the limit
    ball_diameter: float = 50e-6               # [m] median
    residue_rate: float = 0.3                  # faint flux spots
    scratch_rate: float = 0.002


@dataclass(frozen=True)
class Fault:
    """One local cause. What ``values`` mean is in ``FAULTS``; ``component`` and the joints index the assembly."""
    kind: str
    component: int = -1
    joint: int = -1
    other: int = -1
    values: tuple[float, ...] = ()


FAULTS: dict[str, tuple[str, ...]] = {
    # printing
    "clogged_aperture": ("remaining share of the joint's paste [1]",),
    "overprint": ("mean multiple of the joint's paste [1]: coined stencil, lost gasket",),
    "smear": ("width of the paste bead from joint to other [m]",),
    # placement
    "missing_pick": (),
    "slip": ("x [m]", "y [m]", "angle [rad] by which the part slipped on its nozzle",),
    "flipped": (),
    "billboard": (),
    "polarity": (),
    "wrong_reel": ("component whose reel was loaded (index)",),
    "bent_lead": ("height of the joint's lead above the seating plane [m]",),
    "worn_nozzle": ("nozzle (index)", "wear [1]"),
    # reflow
    "uneven_heating": ("temperature difference between a part's two ends [K]",),
    "cold_spot": ("temperature that the joint, or with joint −1 the whole part, lacks at peak [K]",),
    "warpage": ("lift of the part's corner balls at peak [m]",),
    "outgassing": ("projected share of the ball that voids fill [1]",),
    # handling
    "splash": ("x [m]", "y [m]", "diameter [m] of a solder ball"),
    "contamination": ("x [m]", "y [m]", "semi-axis [m]", "semi-axis [m]", "angle [rad]", "thickness [m]", "stain [1]"),
    "handling_scratch": ("x [m]", "y [m]", "x [m]", "y [m]", "sagitta [m]", "width [m]", "depth [m]"),
}
"""Fault kinds, and what their values mean."""


@dataclass(frozen=True)
class Process:
    """All that a unit's making depends on, beside the assembly and the random stream."""
    printer: Printer = field(default_factory=Printer)
    placement: Placement = field(default_factory=Placement)
    oven: Oven = field(default_factory=Oven)
    handling: Handling = field(default_factory=Handling)
    faults: tuple[Fault, ...] = ()

    def with_faults(self, *faults: Fault) -> Process:
        return replace(self, faults=(*self.faults, *faults))

    def of(self, *kinds: str) -> list[Fault]:
        """Faults of these kinds, in order."""
        return [f for f in self.faults if f.kind in kinds]


Change = Callable[[Process, float], Process]


def _set(stage: str, name: str, value: Callable[[Any, float], Any]) -> Change:
    """A drift that replaces one setting by value(old, amount)."""
    def change(process: Process, amount: float) -> Process:
        old = getattr(process, stage)
        return replace(process, **{stage: replace(old, **{name: value(getattr(old, name), amount)})})
    return change


def _zones(first: int, last: int) -> Change:
    """A drift that adds degrees to the zones first … last, counted from 1."""
    return _set("oven", "zones", lambda old, v: tuple(z + v if first <= i <= last else z for i, z in enumerate(old, 1)))


def _one(stage: str, name: str, index: int, value: Callable[[float, float], float], fresh: float, step: int = 1) -> Change:
    """A drift of one entry of a tuple, by value(old, amount). A tuple that is too short grows by whole steps of fresh entries."""
    def change(old: tuple[float, ...], amount: float) -> tuple[float, ...]:
        long = old + (fresh,) * max(-(-(index + 1) // step) * step - len(old), 0)
        return (*long[:index], value(long[index], amount), *long[index + 1:])
    return _set(stage, name, change)


def _is(old: float, v: float) -> float:
    return v


def _plus(scale: float) -> Callable[[float, float], float]:
    return lambda old, v: old + v * scale


def _times(old: float, v: float) -> float:
    return old * v


DRIFTS: dict[str, tuple[float, float, float, Change]] = {
    # name: (healthy value, least, greatest, how it acts)
    "printer.offset_um": (0, -400, 400, _set("printer", "offset_x", _plus(1e-6))),
    "printer.offset_y_um": (0, -400, 400, _set("printer", "offset_y", _plus(1e-6))),
    "printer.rotation_deg": (0, -2, 2, _set("printer", "rotation", lambda old, v: old + math.radians(v))),
    "printer.clog": (0, 0, 0.9, _set("printer", "clog", lambda old, v: v)),
    "printer.gasket_um": (0, 0, 150, _set("printer", "gasket", _plus(1e-6))),
    "printer.force_factor": (1, 0.3, 2, _set("printer", "force", _times)),
    "printer.separation_factor": (1, 0.1, 4, _set("printer", "separation", _times)),
    "printer.boards_since_wipe": (3, 0, 200, _set("printer", "since_wipe", lambda old, v: round(v))),
    "placement.offset_um": (0, -500, 500, _set("placement", "offset_x", _plus(1e-6))),
    "placement.offset_y_um": (0, -500, 500, _set("placement", "offset_y", _plus(1e-6))),
    "placement.rotation_deg": (0, -20, 20, _set("placement", "rotation", lambda old, v: old + math.radians(v))),
    "placement.sigma_um": (12.5, 0, 200, _set("placement", "std", lambda old, v: v * 1e-6)),
    "placement.nozzle_wear": (0, 0, 1, _set("placement", "wear", lambda old, v: (v,) * NOZZLES)),
    "placement.vacuum_loss_kpa": (0, 0, 60, _set("placement", "vacuum", _plus(1e3))),
    "placement.pick_failure": (2e-6, 0, 1, _set("placement", "pick_failure", lambda old, v: v)),
    "placement.feeder_error": (1e-6, 0, 1, _set("placement", "feeder_error", lambda old, v: v)),
    "placement.machines": (1, 1, MACHINES, _set(
        "placement", "wear", lambda old, v: old + (0.0,) * (NOZZLES * round(v) - len(old)))),
    **{f"placement.nozzle{n}_wear": (0, 0, 1, _one("placement", "wear", n - 1, _is, 0.0, NOZZLES))
       for n in range(1, MACHINES * NOZZLES + 1)},
    **{f"placement.feeder{n}_pitch_um": (0, 0, 1000, _one("placement", "pitch", n - 1, lambda old, v: v * 1e-6, 0.0))
       for n in range(1, MACHINES * FEEDERS + 1)},
    **{f"placement.supply{n}_loss_kpa": (0, 0, 500, _one("placement", "supply_loss", n - 1, lambda old, v: v * 1e3, 0.0))
       for n in range(1, MACHINES + 1)},
    "placement.coplanarity_um": (12, 0, 300, _set("placement", "lead_std", lambda old, v: v * 1e-6)),
    "placement.lead_damage": (1e-6, 0, 1, _set("placement", "damage", lambda old, v: v)),
    "oven.zone7_8_offset_c": (0, -80, 40, _zones(7, 8)),
    "oven.soak_offset_c": (0, -60, 60, _zones(3, 5)),
    **{f"oven.zone{n}_offset_c": (0, -230, 40, _zones(n, n)) for n in range(1, ZONES + 1)},
    **{f"oven.zone{n}_blower_factor": (1, 0.1, 1.6, _one("oven", "zone_convection", n - 1, _times, 1.0, ZONES))
       for n in range(1, ZONES + 1)},
    "oven.shake_m_s2": (0.2, 0, 50, _set("oven", "shake", _is)),
    "oven.speed_factor": (1, 0.5, 2, _set("oven", "speed", _times)),
    "oven.blower_factor": (1, 0.4, 1.6, _set("oven", "convection", _times)),
    "oven.thermal_mass_factor": (1, 0.4, 3, _set("oven", "thermal_mass", _times)),
    "oven.imbalance_k": (0.3, 0, 20, _set("oven", "imbalance", lambda old, v: v)),
    "oven.warpage_um": (20, 0, 300, _set("oven", "warpage", lambda old, v: v * 1e-6)),
    "oven.moisture": (0, 0, 1, _set("oven", "moisture", lambda old, v: v)),
    "handling.ball_rate": (0.05, 0, 200, _set("handling", "ball_rate", lambda old, v: v)),
    "handling.residue_rate": (0.3, 0, 100, _set("handling", "residue_rate", lambda old, v: v)),
    "handling.scratch_rate": (0.002, 0, 50, _set("handling", "scratch_rate", lambda old, v: v)),
}
"""Drifts that a recipe can name. The unit is in the name; the healthy value changes nothing."""

_LATER = {"placement": ("pitch", "supply_loss"), "oven": ("zone_convection", "shake")}
"""Settings that were added after the first samples were stored: left out where they are healthy, so that those stay the same."""


def drifted(process: Process, drifts: Mapping[str, float]) -> Process:
    """Apply named drifts in the order of DRIFTS. Raises RecipeError for an unknown name or an impossible value."""
    for name, value in drifts.items():
        if name not in DRIFTS:
            near = get_close_matches(name, DRIFTS, n=1, cutoff=0.5)
            raise RecipeError(f"drifts.{name}: unknown drift; "
                              + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(_names())}"))
        healthy, low, high, _ = DRIFTS[name]
        if not low <= value <= high:                                      # also false for NaN
            raise RecipeError(f"drifts.{name}: {value!r} is outside {low:g} … {high:g}; {healthy:g} is healthy")
    for name, (healthy, _, _, change) in DRIFTS.items():
        if name in drifts and float(drifts[name]) != healthy:
            process = change(process, float(drifts[name]))
    return process


def _names() -> list[str]:
    """Names of the drifts for people: of those that only differ in a number the first and the last."""
    alike: dict[str, list[str]] = {}
    for name in DRIFTS:
        alike.setdefault(re.sub(r"(nozzle|feeder|supply|zone)\d+_(?=[a-z])", r"\1N_", name), []).append(name)
    return [names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}" for names in alike.values()]


def to_dict(process: Process) -> dict[str, Any]:
    """JSON-ready. Python writes and reads floats exactly, so the round trip is the identity."""
    data = asdict(process)
    data["faults"] = [{k: list(v) if isinstance(v, tuple) else v for k, v in f.items()} for f in data["faults"]]
    for stage in ("placement", "oven"):
        healthy = getattr(Process(), stage)
        data[stage] = {k: list(v) if isinstance(v, tuple) else v for k, v in data[stage].items()
                       if k not in _LATER[stage] or v != getattr(healthy, k)}
    return data


def _read(cls: type[Any], data: Mapping[str, Any], where: str) -> Any:
    names = {f.name for f in fields(cls)}
    for key in data:
        if key not in names:
            raise RecipeError(f"{where}.{key}: unknown process setting; this sample comes from another version of linetwin")
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items()})


def from_dict(data: Mapping[str, Any]) -> Process:
    """Inverse of ``to_dict``. Raises RecipeError for settings or fault kinds that are not known."""
    stages = {"printer": Printer, "placement": Placement, "oven": Oven, "handling": Handling}
    for key in data:
        if key not in stages and key != "faults":
            raise RecipeError(f"process.{key}: unknown stage; this sample comes from another version of linetwin")
    faults = tuple(_read(Fault, f, f"process.faults.{i}") for i, f in enumerate(data.get("faults", ())))
    for i, fault in enumerate(faults):
        if fault.kind not in FAULTS or len(fault.values) != len(FAULTS[fault.kind]):
            raise RecipeError(f"process.faults.{i}: '{fault.kind}' with {len(fault.values)} values is not a fault; "
                              f"known: {', '.join(FAULTS)}")
    return Process(**{name: _read(cls, data[name], f"process.{name}") for name, cls in stages.items() if name in data},
                   faults=faults)


__all__ = ["DRIFTS", "FAULTS", "FEEDERS", "MACHINES", "NOZZLES", "ZONES", "Fault", "Handling", "Oven", "Placement", "Printer",
           "Process", "drifted", "from_dict", "to_dict"]
