"""bearings: kinematics of rolling bearings, and the impacts that a spall makes (domain reference 5.1 to 5.3).

Orders are multiples of the shaft's speed, the outer ring fixed. A ball's spin order is BSF; a spall on a ball strikes both
rings, so its impacts come at 2 × BSF. Data sheets and the CWRU tables print the one or the other: the catalogue's 4.7135 for
"rolling element" of the 6205 is 2 × BSF.

The impulse model is that of McFadden and Smith (1984) in the angle of the shaft, with the slip of Antoni and Randall. Real
offsets from the kinematic orders come from the effective contact angle, not from slip: outer up, inner down, their sum n.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Part = Literal["outer", "inner", "ball", "cage"]
PARTS: tuple[Part, ...] = ("outer", "inner", "ball", "cage")

STEEL = 7810.0                                 # [kg/m³] bearing steel 100Cr6
SPALL = 2.5e-3                                 # [m] length at severity 1: 6.5 mm², the area at which life tests end
LARGEST_ANGLE = math.radians(12)               # effective contact angles lie in 0 … 12° (reference 5.2)
SLIP = (0.005, 0.02)                           # [1] standard deviation from one impact to the next (reference 5.3)
INNER_PATH = 0.7                               # [1] of a strike on the inner ring that reaches the housing (engineering default)
CAGE_SHARE = 0.1                               # [1] of a cage's impacts against a ring's (engineering default)


@dataclass(frozen=True)
class Bearing:
    """Geometry of one bearing."""
    name: str
    elements: int                              # n
    ball: float                                # [m] d
    pitch: float                               # [m] D
    angle: float = 0.0                         # [rad] nominal contact angle
    exponent: float = 1.5                      # [1] of the load zone: 3/2 for balls, 10/9 for rollers
    source: str = ""

    @property
    def ball_mass(self) -> float:
        """[kg] of one ball."""
        return STEEL * math.pi / 6 * self.ball ** 3


@dataclass(frozen=True)
class Orders:
    """Multiples of the shaft's speed."""
    cage: float                                # FTF
    outer: float                               # BPFO
    inner: float                               # BPFI
    spin: float                                # BSF: one turn of a ball; its spall strikes twice


_INCH = 0.0254
CATALOGUE = {b.name: b for b in (
    Bearing("6205", 9, 0.3126 * _INCH, 1.537 * _INCH, source="SKF 6205-2RS, CWRU drive end"),
    Bearing("6203", 8, 0.2656 * _INCH, 1.122 * _INCH, source="SKF 6203-2RS, CWRU fan end"),
    Bearing("ZA-2115", 16, 0.331 * _INCH, 2.815 * _INCH, math.radians(15.17), 10 / 9, "Rexnord ZA-2115, IMS"),
    Bearing("UER204", 8, 7.92e-3, 34.55e-3, source="LDK UER204, XJTU-SY"),
    Bearing("ER-16K", 9, 7.9375e-3, 38.50e-3, source="MB ER-16K, Curtin"),
)}                                             # geometry: reference 5.1


def orders(bearing: Bearing, angle: float | None = None) -> Orders:
    """Defect orders at a contact angle [rad]; the nominal one by default. outer + inner = elements, whatever the angle."""
    ratio = bearing.ball / bearing.pitch * math.cos(bearing.angle if angle is None else angle)
    cage = (1 - ratio) / 2
    return Orders(cage, bearing.elements * cage, bearing.elements * (1 + ratio) / 2,
                  bearing.pitch / (2 * bearing.ball) * (1 - ratio ** 2))


def load_zone(theta: F64, *, clearance: float = 0.5, exponent: float = 1.5) -> F64:
    """Load of an element at an angle [rad] from the load's line, as a share of the most loaded one (Stribeck).

    ``clearance`` is ε: 0.5 for none (half the ring carries), less for play, more for preload.
    """
    base = 1 - (1 - np.cos(theta)) / (2 * clearance)
    share: F64 = np.maximum(base, 0.0) ** exponent
    return share


@dataclass(frozen=True, eq=False)
class Impacts:
    """Strikes of one spall, in the order of time."""
    angle: F64                                 # (K,) [rad] of the shaft, counted from the start
    impulse: F64                               # (K,) [N s]


def impacts(bearing: Bearing, part: Part, severity: float, turns: tuple[float, float], speed: float,
            rng: np.random.Generator, *, angle: float = 0.0, slip: float = 0.01, load: float = 1.0, clearance: float = 0.5,
            place: float = 0.0, wander: float = 0.3) -> Impacts:
    """The strikes of a spall while the shaft turns.

    A ball of mass m that rolls at v over a gap of length L changes its direction by 2 L / d, so it strikes with m v 2 L / d, and
    with the share of the load that it carries. That a rough spall is not struck twice in the same place spreads the
    impulses, more so for a long one.

    Args:
        part: Where the spall is.
        severity: [1] 0 … 1; the spall is 2.5 mm long at 1, where life tests end.
        turns: The shaft's turns between which strikes are wanted.
        speed: [Hz] of the shaft: its mean.
        angle: [rad] effective contact angle.
        slip: [1] standard deviation of the step from one strike to the next.
        load: [1] of the rated one.
        clearance: ε of the load zone.
        place: [rad] of a spall on the fixed ring from the load's line; 0 in the middle of the load zone.
        wander: [rad] by which a ball's axis wanders from one strike to the next, so that its spall often misses the rings, and
            [1] the slip of its spin where it carries no load, so that strikes lose step with each turn of the cage. That is why
            ball faults often show no line at 2 × BSF (none of 12 real records, reference 5.2); 0 for the textbook.

    Returns:
        Strikes inside ``turns``.
    """
    of = orders(bearing, angle)
    order = {"outer": of.outer, "inner": of.inner, "ball": 2 * of.spin, "cage": of.cage}[part]
    count = int((turns[1] - turns[0]) * order * (1 + 5 * slip)) + 8
    jitter, start = rng.standard_normal(count), 2 * np.pi * rng.random()
    first, sigma = rng.random(), _rough(severity)
    rough = np.exp(sigma * rng.standard_normal(count) - sigma ** 2 / 2)
    axis = np.cumsum(wander * rng.standard_normal(count)) + 2 * np.pi * rng.random()

    def zone(angle: F64) -> F64:
        return load_zone(angle, clearance=clearance, exponent=bearing.exponent)

    uneven = np.full(count, slip)
    if part == "ball":                                                     # where it carries nothing it spins as it likes
        cage: F64 = 2 * np.pi * of.cage * (turns[0] + (first + np.arange(count, dtype=np.float64)) / order) + start
        uneven = uneven + wander * (1 - zone(cage))
    steps = (1 + np.maximum(uneven * jitter, -0.5)) / order
    steps[0] *= first                                                      # the first strike is anywhere
    at = 2 * np.pi * (turns[0] + np.cumsum(steps))
    if part == "outer":
        share = np.full(count, float(zone(np.array(place))))
    elif part == "inner":
        share = INNER_PATH * zone(at + start)
    elif part == "ball":
        share = zone(at * of.cage + start) * np.where(np.arange(count) % 2, INNER_PATH, 1.0)
        if wander:
            share = share * np.cos(axis) ** 2
    else:
        share = np.full(count, CAGE_SHARE)
    strike = _impulse(bearing, of, severity, speed)
    inside = at < 2 * np.pi * turns[1]
    return Impacts(at[inside], (load * strike * share * rough)[inside])


@lru_cache(maxsize=64)
def _around(clearance: float, exponent: float) -> float:
    """[1] mean square of the load zone all around."""
    theta = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    return float((load_zone(theta, clearance=clearance, exponent=exponent) ** 2).mean())


def _impulse(bearing: Bearing, of: Orders, severity: float, speed: float) -> float:
    """Mean impulse [N s] of the most loaded ball: its mass, its centre's speed and the change of direction over the gap."""
    return bearing.ball_mass * math.pi * bearing.pitch * of.cage * speed * 2 * SPALL * severity / bearing.ball


def _rough(severity: float) -> float:
    """Standard deviation [1] of the logarithm of impulses."""
    return 0.08 + 0.4 * severity


def strength(bearing: Bearing, part: Part, severity: float, speed: float, *, angle: float = 0.0, load: float = 1.0,
             clearance: float = 0.5) -> tuple[float, float]:
    """Strikes of a spall per second, and their mean square [(N s)²]: the expectation of :func:`impacts`, arguments as there."""
    of = orders(bearing, angle)
    around = _around(clearance, bearing.exponent)
    share = {"outer": 1.0, "inner": INNER_PATH ** 2 * around, "cage": CAGE_SHARE ** 2,
             "ball": (1 + INNER_PATH ** 2) / 2 * around * 3 / 8}[part]     # 3/8: mean of cos⁴ of its axis
    order = {"outer": of.outer, "inner": of.inner, "ball": 2 * of.spin, "cage": of.cage}[part]
    strike = _impulse(bearing, of, severity, speed)
    return order * speed, (load * strike) ** 2 * share * math.exp(_rough(severity) ** 2)


__all__ = ["CATALOGUE", "LARGEST_ANGLE", "PARTS", "SLIP", "SPALL", "Bearing", "Impacts", "Orders", "Part", "impacts", "load_zone",
           "orders", "strength"]
