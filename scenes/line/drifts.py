"""drifts: what wears on a line, how fast, and how much useful life is left.

A *kind* says how a part ages: severity 0 is new, 1 has failed, and between them runs a law of growth over the work done
(cycles, or seconds of work). A *life* is one part's own: its length and its shape are drawn once, when the part is new;
after that nothing is random, so the remaining useful life is known exactly. What a severity does to the process, to sensors
and to instruments is in ``couplings.py`` and ``quantities.py``.

Lives and curves without a source are engineering defaults.
"""
from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenes.errors import SceneError
from scenes.line.model import Drift

F64 = NDArray[np.float64]
Law = Literal["run_in", "exponential", "power", "creep"]


@dataclass(frozen=True)
class Parameter:
    """A number of a drift that a scene may set in ``Drift.parameters``."""
    default: float
    unit: str
    low: float
    high: float
    title: str


@dataclass(frozen=True)
class DriftKind:
    """One way to wear out. ``touches`` names the quantities that move, with ``{module}`` for the drift's own module."""
    name: str
    title: str
    station: str                               # kind of station
    counts: Literal["cycles", "seconds"]       # what a life is counted in
    acts: Literal["process", "instrument"]     # on what units become, or on what is seen of them
    law: Law
    life: float                                # [cycles] or [s] of work, where the scene gives none
    defects: tuple[str, ...]                   # that it is expected to raise; an instrument raises none
    touches: tuple[str, ...]                   # "<module>/<quantity>" of its station
    parameters: Mapping[str, Parameter]
    module: str = ""                           # a drift's module is this word and a number, or "" without one
    modules: int = 0                           # greatest number


def _curve(default: float, title: str, low: float = -5.0, high: float = 12.0) -> Mapping[str, Parameter]:
    return {"curve": Parameter(default, "1", low, high, title),
            "curve_spread": Parameter(0.1, "1", 0.0, 0.5, "coefficient of variation of the curve from part to part")}


_RUN_IN: Mapping[str, Parameter] = {
    "run_in": Parameter(0.08, "1", 0.0, 0.5, "severity that running in costs"),
    "run_in_length": Parameter(0.05, "1", 0.005, 0.5, "share of the life that running in takes"),
    "curve_spread": Parameter(0.1, "1", 0.0, 0.5, "coefficient of variation of the running in from part to part")}
_GROWTH = "growth of a spall: e-folds over a life"
_HOUR = 3600.0
SHORTEST = 1.0                                 # [cycles] or [s] of a life: a part that fails at once is renewed without end

_KINDS = (
    DriftKind("stencil_clog", "Stencil clogging", "printer", "cycles", "process", "exponential", 2500, ("insufficient",),
              ("squeegee/force", "stencil/clog", "board/volume_mean"),
              {**_curve(-1.5, "dried paste shields itself: negative, it saturates"),
               "clog": Parameter(0.4, "1", 0.0, 0.9, "share of the area ratio that is lost at severity 1"),
               "clog_per_board": Parameter(0.004, "1", 0.0, 0.05, "more of it per board since the last wipe, at severity 1")}),
    DriftKind("squeegee_wear", "Squeegee wear", "printer", "cycles", "process", "run_in", 40_000, ("bridge", "excess"),
              ("squeegee/force_spread", "board/volume_mean"),
              {**_RUN_IN, "gasket": Parameter(45e-6, "m", 0.0, 150e-6, "lift between stencil and board under a worn blade"),
               "force_loss": Parameter(0.1, "1", 0.0, 0.6, "share of the print force that a worn edge does not pass on")}),
    DriftKind("nozzle_wear", "Nozzle wear", "placement", "cycles", "process", "run_in", 60_000, ("shift", "missing", "rotation"),
              ("{module}/vacuum", "{module}/retries", "head/acceleration"),
              {**_RUN_IN, "wear": Parameter(1.0, "1", 0.0, 1.0, "wear of the nozzle at severity 1")}, "nozzle", 8),
    DriftKind("feeder_pitch", "Feeder pitch", "placement", "cycles", "process", "power", 50_000,
              ("missing", "billboard", "flipped"), ("{module}/motor_current",),
              {**_curve(1.6, "exponent of the wear of the ratchet", 0.3, 5.0),
               "pitch": Parameter(200e-6, "m", 0.0, 1e-3, "standard deviation of the pitch error at severity 1")}, "feeder", 12),
    DriftKind("zone_heater", "Heater of an oven zone", "reflow", "seconds", "process", "exponential", 2000 * _HOUR,
              ("cold_joint", "tombstone"), ("{module}/temperature", "{module}/duty", "power"),
              {**_curve(1.5, "oxide speeds up its own growth"),
               "loss": Parameter(0.5, "1", 0.0, 0.95, "share of the heating power lost at severity 1")}, "zone", 8),
    DriftKind("zone_blower_bearing", "Blower bearing of an oven zone", "reflow", "seconds", "process", "exponential",
              4000 * _HOUR, ("cold_joint", "tombstone"),
              ("{module}/blower_velocity", "{module}/blower_acceleration", "{module}/blower_current",
               "{module}/bearing_temperature", "{module}/temperature"),
              {**_curve(4.0, _GROWTH),
               "speed_loss": Parameter(0.8, "1", 0.0, 0.95, "share of the fan's speed that friction takes at severity 1")},
              "zone", 10),
    DriftKind("conveyor_bearing", "Bearing of a conveyor roller", "reflow", "seconds", "process", "exponential", 3000 * _HOUR,
              ("shift",),
              ("conveyor/acceleration", "conveyor/sound_level", "conveyor/speed", "conveyor/motor_current"),
              {**_curve(4.0, _GROWTH),
               "shake": Parameter(4.0, "m/s2", 0.0, 30.0, "acceleration RMS of the belt at severity 1")}),
    DriftKind("air_leak", "Compressed-air leak", "placement", "seconds", "process", "power", 600 * _HOUR, ("missing",),
              ("air/pressure", "air/flow", "air/ultrasound", "nozzle*/vacuum", "nozzle*/retries"),
              {**_curve(1.5, "exponent of the growth of the opening", 0.3, 5.0),
               "conductance": Parameter(1.8e-8, "m3/(s*Pa)", 0.0, 1e-7,
                                        "sonic conductance of the leak at severity 1 (ISO 6358)")}),
    DriftKind("tube_ageing", "X-ray tube ageing", "axi", "seconds", "instrument", "exponential", 5000 * _HOUR, (),
              ("tube/bright_field",),
              {**_curve(-0.7, "the target roughens: negative, it saturates"),
               "loss": Parameter(0.6, "1", 0.0, 0.95, "share of the flux that is lost at severity 1")}),
    DriftKind("lamp_ageing", "Lamp ageing", "aoi", "seconds", "instrument", "exponential", 20_000 * _HOUR, (),
              ("lamp/flux",),
              {**_curve(-0.4, "an LED fades exponentially (IES TM-21): negative, it saturates"),
               "loss": Parameter(0.5, "1", 0.0, 0.95, "share of the flux that is lost at severity 1")}),
    DriftKind("camera_focus", "Camera focus", "aoi", "seconds", "instrument", "creep", 4000 * _HOUR, (),
              ("camera/sharpness",),
              {**_curve(6.0, "logarithmic creep of a clamp", 0.1, 100.0),
               "defocus": Parameter(2e-3, "m", 0.0, 10e-3, "distance out of focus at severity 1")}),
)

KINDS: Mapping[str, DriftKind] = {kind.name: kind for kind in _KINDS}
"""The eleven kinds, by name."""


def parameters(drift: Drift) -> dict[str, float]:
    """All parameters of a drift: the scene's own where it gives them, else the kind's."""
    return {name: float(drift.parameters.get(name, p.default)) for name, p in KINDS[drift.kind].parameters.items()}


def check(drift: Drift, station_kind: str) -> None:
    """Refuse a drift that cannot be. Raises SceneError with the place and the mend."""
    where = f"drifts.{drift.id}"
    if drift.kind not in KINDS:
        near = get_close_matches(drift.kind, KINDS, n=1)
        raise SceneError(f"{where}.kind: unknown drift '{drift.kind}'; "
                         + (f"did you mean '{near[0]}'?" if near else f"known: {', '.join(KINDS)}"))
    kind = KINDS[drift.kind]
    if station_kind != kind.station:
        raise SceneError(f"{where}.station: '{drift.station}' is of kind '{station_kind}'; "
                         f"{drift.kind} happens on '{kind.station}'")
    number = re.fullmatch(rf"{kind.module}([1-9][0-9]?)", drift.module) if kind.module else None
    if kind.module and (number is None or int(number[1]) > kind.modules):
        raise SceneError(f"{where}.module: '{drift.module}' is none; give {kind.module}1 … {kind.module}{kind.modules}")
    if not kind.module and drift.module:
        raise SceneError(f"{where}.module: {drift.kind} has no modules; leave '{drift.module}' out")
    for name, value in drift.parameters.items():
        if name not in kind.parameters:
            raise SceneError(f"{where}.parameters.{name}: unknown; known: {', '.join(kind.parameters)}")
        p = kind.parameters[name]
        if not p.low <= value <= p.high:
            raise SceneError(f"{where}.parameters.{name}: {value!r} is outside {p.low:g} … {p.high:g} {p.unit}")
    for name, value, low, high in (("life", drift.life, 0.0, 1e12), ("life_spread", drift.life_spread, 0.0, 2.0),
                                   ("initial", drift.initial, 0.0, 1.0)):
        if not low <= value <= high:
            raise SceneError(f"{where}.{name}: {value!r} is outside {low:g} … {high:g}")


@dataclass(frozen=True)
class Life:
    """One part, from new to failed. Nothing about it is random any more."""
    law: Law
    length: float                              # [cycles] or [s] of work until severity 1
    curve: float                               # [1] shape of the law; of run_in the severity that it costs
    scale: float = 0.0                         # [1] of run_in: share of the life that it takes


def new_life(drift: Drift, rng: np.random.Generator) -> Life:
    """Put a new part in. Always two standard normals: one for its length (log-normal, at least ``SHORTEST``), one for its curve
    (likewise)."""
    kind, values = KINDS[drift.kind], parameters(drift)
    z_length, z_curve = rng.standard_normal(2).tolist()
    length = max((drift.life or kind.life) * _log_normal(drift.life_spread, z_length), SHORTEST)
    factor = _log_normal(values["curve_spread"], z_curve)
    if kind.law == "run_in":
        return Life("run_in", length, min(values["run_in"] * factor, 0.9), values["run_in_length"])
    return Life(kind.law, length, values["curve"] * factor)


def _log_normal(spread: float, z: float) -> float:
    """A positive factor of mean 1 and this coefficient of variation."""
    sigma = math.sqrt(math.log1p(spread**2))
    return math.exp(sigma * z - sigma**2 / 2)


def severity(life: Life, worked: ArrayLike) -> F64:
    """Severity [1] after this much work in the life's unit, any shape: 0 at 0, 1 at ``life.length`` and ever after.

    With x = worked / length:

    * exponential: (e^kx − 1) / (e^k − 1); k < 0 saturates, k → 0 is linear;
    * power: x^k;
    * creep: ln(1 + kx) / ln(1 + k);
    * run_in: a·(1 − e^(−x/x0)) / (1 − e^(−1/x0)) + (1 − a)·x.
    """
    x = np.clip(np.asarray(worked, np.float64) / life.length, 0.0, 1.0)
    k = life.curve
    if life.law == "exponential":
        y = np.expm1(k * x) / np.expm1(k) if abs(k) > 1e-9 else x
    elif life.law == "power":
        y = x**k
    elif life.law == "creep":
        y = np.log1p(k * x) / np.log1p(k)
    else:
        y = k * np.expm1(-x / life.scale) / np.expm1(-1 / life.scale) + (1 - k) * x
    found: F64 = np.clip(y, 0.0, 1.0)
    return found


def worked_at(life: Life, value: ArrayLike) -> F64:
    """The work after which a severity is reached: the exact inverse of ``severity`` on 0 … 1."""
    y = np.clip(np.asarray(value, np.float64), 0.0, 1.0)
    k = life.curve
    if life.law == "exponential":
        x = np.log1p(y * np.expm1(k)) / k if abs(k) > 1e-9 else y
    elif life.law == "power":
        x = y**(1 / k)
    elif life.law == "creep":
        x = np.expm1(y * np.log1p(k)) / k
    else:                                                                 # A·(1 − e^(−x/x0)) + B·x = y: Lambert's W
        from scipy.special import wrightomega  # late: reading a scene need not load scipy

        # W(e^z) = ω(z), and ω + ln ω = z: where ω is large, x by its logarithm does not lose what two large numbers cancel
        a, b, x0 = k / -np.expm1(-1 / life.scale), 1 - k, life.scale
        lead = np.log(a / (b * x0)) if a > 0 else -np.inf
        omega = wrightomega(lead + (a - y) / (b * x0))
        x = np.where(omega > 1, x0 * (lead - np.log(np.maximum(omega, 1.0))), (y - a) / b + x0 * omega)
    found: F64 = life.length * np.clip(x, 0.0, 1.0)
    return found


def remaining(life: Life, worked: ArrayLike) -> F64:
    """Useful life: work until severity 1, in the life's unit; 0 where the part has failed."""
    left: F64 = np.maximum(life.length - np.asarray(worked, np.float64), 0.0)
    return left


__all__ = ["KINDS", "DriftKind", "Life", "Parameter", "check", "new_life", "parameters", "remaining", "severity", "worked_at"]
