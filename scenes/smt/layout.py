"""layout: what follows from an assembly alone, worked out once, and where terminals lie on their lands.

Land frame of a joint: origin at the land's centre, u along the terminal's outward direction, v to its left [m].
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from scenes.constants import GRAVITY
from scenes.smt.assembly import METAL_FRACTION, land_polygon, transfer_efficiency
from scenes.smt.state import Assembly

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
Bool = NDArray[np.bool_]

SURFACE_TENSION = 0.5                          # [N/m] molten SAC305 (domain reference 2.1.7)
WETTING_ANGLE = np.radians(30.0)               # of the tombstone model (domain reference 2.1.6)
CHIP_KINDS = ("chip_resistor", "chip_capacitor", "chip_inductor", "chip_led", "chip_diode")
BRIDGE_REACH = 0.6e-3                          # [m] no molten bead crosses a wider gap (engineering default)
YIELD = 100.0                                  # [Pa] shear stress at which fresh paste begins to flow (engineering default)
BRIDGE_TOUCH = 30e-6                           # [m] lands closer than this are one land by design


def moment_ratio(length: float, width: float, height: float, mass: float) -> float:
    """Surface-tension moment γ·W·H·sin θ of one end over the weight moment m·g·L/2 [1]; above 1 it can lift the part."""
    return float(SURFACE_TENSION * width * height * np.sin(WETTING_ANGLE) / (mass * GRAVITY * length / 2))


@dataclass(frozen=True, eq=False)
class Layout:
    """Constants of an assembly. Shapes: C components, J joints, P pairs of neighbouring lands, T two-terminal parts."""
    start: I32                                 # (C + 1,) joints of component c are start[c] … start[c + 1]
    count: I32                                 # (C,) joints per component
    soldered: Bool                             # (C,) has printed joints: floats and centres itself while molten
    pinned: Bool                               # (C,) held by pins in holes
    centroid: F64                              # (C, 2) middle of the terminals − origin, board frame [m]
    symmetric: Bool                            # (C,) turned by 180° about that middle, every terminal finds a land
    size: F64                                  # (C, 3) body along its first terminal's direction, across it, height [m]
    two: I32                                   # (T,) chip-like parts with exactly two ends
    ends: I32                                  # (T, 2) their joints
    ratio: F64                                 # (T,) tombstone moment ratio [1]
    first: I32                                 # (P,) joint
    second: I32                                # (P,) joint
    gap: F64                                   # (P,) [m] between the two lands
    facing: F64                                # (P,) [m] length over which they face each other
    axis: F64                                  # (P, 2) unit, from the first land to the second
    side: F64                                  # (J,) overhang by design [m]
    end: F64                                   # (J,) overhang past the land's outer end by design [m]
    overlap: F64                               # (J,) terminal on land by design [m²]
    lag: F64                                   # (C,) [K] that a heavy part stays behind the board at peak
    printed: Bool                              # (J,)
    ball: Bool                                 # (J,)
    through: Bool                              # (J,)
    gullwing: Bool                             # (J,)
    chip: Bool                                 # (J,)
    under: Bool                                # (J,) wholly under the body: balls and exposed pads
    flat: Bool                                 # (J,) contact or exposed pad under the body
    polarised: Bool                            # (C,)
    edge_distance: F64                         # (J,) squared distance from the part's middle, 1 at its farthest joint
    reel: I32                                  # (C,) which part number, in the order of first use: one feeder has one
    tack: F64                                  # (C,) [m/s²] acceleration at which it slides on wet paste; inf: it is held
    deposits: I32                              # (C,) printed joints
    deposit: F64                               # (J,) [m³] solder of a healthy deposit
    ball_volume: F64                           # (J,) [m³] of the ball that the terminal brings along, 0 for others
    land_area: F64                             # (J,) [m²] at least 1e-12


@dataclass(frozen=True, eq=False)
class _Frames:
    """Terminals and lands as ``on_land`` needs them."""
    arm: F64                                   # (J, 2) terminal − part's origin [m]
    land: F64                                  # (J, 2) land − part's origin [m]
    cos: F64                                   # (J,) of the land's angle
    sin: F64                                   # (J,)
    terminal: F64                              # (J, 2) half the terminal's size [m]
    half: F64                                  # (J, 2) half the land's size [m]


@lru_cache(maxsize=4)
def _frames(assembly: Assembly) -> _Frames:
    rows = assembly.joints
    origin = assembly.position[rows.component]
    return _Frames(rows.term_center - origin, rows.land_center - origin, np.cos(rows.land_angle), np.sin(rows.land_angle),
                   rows.term_size / 2, rows.land_size / 2)


def on_land(assembly: Assembly, joints: NDArray[np.intp] | slice, offset: F64, rotation: F64) -> tuple[F64, F64, F64, F64]:
    """Where terminals lie after their part has moved.

    Args:
        joints: Which rows of ``assembly.joints`` (n of them).
        offset: (…, n, 2) pose − nominal of each joint's part [m]; leading axes are free.
        rotation: (…, n) angle − nominal [rad].

    Returns:
        u, v: (…, n) terminal centre in the land frame; half extents (…, n) of the turned terminal along u and v [m].
    """
    frames = _frames(assembly)
    arm, land = frames.arm[joints], frames.land[joints]
    cos, sin = np.cos(rotation), np.sin(rotation)
    x = offset[..., 0] + cos * arm[:, 0] - sin * arm[:, 1] - land[:, 0]
    y = offset[..., 1] + sin * arm[:, 0] + cos * arm[:, 1] - land[:, 1]
    lc, ls = frames.cos[joints], frames.sin[joints]
    length, width = frames.terminal[joints, 0], frames.terminal[joints, 1]
    cos, sin = np.abs(cos), np.abs(sin)
    return lc * x + ls * y, lc * y - ls * x, length * cos + width * sin, length * sin + width * cos


def overhang(assembly: Assembly, joints: NDArray[np.intp] | slice, offset: F64, rotation: F64) -> tuple[F64, F64, F64, F64]:
    """Side overhang, end overhang, joint width [m] and overlap [m²] of terminals on their lands, shapes as ``on_land``.

    Side overhang: how far the terminal's farthest corner lies beyond the land's nearer side edge (|v| > half the land's
    width). End overhang: the same past the land's outer end (u > half its length); never past the inner end. Joint width:
    the part of the terminal's extent along v that lies over the land. Overlap: the product of both extents over the land.
    """
    u, v, along, across = on_land(assembly, joints, offset, rotation)
    half = _frames(assembly).half
    half_l, half_w = half[joints, 0], half[joints, 1]
    side = np.maximum(np.abs(v) + across - half_w, 0)
    end = np.maximum(u + along - half_l, 0)
    width = np.maximum(np.minimum(v + across, half_w) - np.maximum(v - across, -half_w), 0)
    depth = np.maximum(np.minimum(u + along, half_l) - np.maximum(u - along, -half_l), 0)
    return side, end, width, width * depth


@lru_cache(maxsize=8)
def _part_of(assembly: Assembly, units: int) -> NDArray[np.intp]:
    """Part of every joint of a block of units, all units' parts numbered through, (units · J,)."""
    return (assembly.joints.component + len(assembly.components) * np.arange(units)[:, None]).ravel()


def per_part(assembly: Assembly, value: F64) -> F64:
    """Sums over the joints of every part, (…, C), of values (…, J); added in the order of the joints."""
    before, parts = value.shape[:-1], len(assembly.components)
    units = math.prod(before)
    total: F64 = np.bincount(_part_of(assembly, units), value.ravel(), parts * units).astype(np.float64, copy=False)
    return total.reshape(*before, parts)


def least_per_part(assembly: Assembly, value: F64) -> F64:
    """Least value among the joints of every part, (…, C), of values (…, J); inf for a part without joints."""
    before, parts = value.shape[:-1], len(assembly.components)
    units = math.prod(before)
    least = np.full(parts * units, np.inf)
    np.minimum.at(least, _part_of(assembly, units), value.ravel())
    return least.reshape(*before, parts)


def land_boxes(assembly: Assembly) -> NDArray[np.object_]:
    """The lands as oriented rectangles, (J,) shapely polygons in the board frame [m]."""
    rows = assembly.joints
    cos, sin = np.cos(rows.land_angle)[:, None], np.sin(rows.land_angle)[:, None]
    du = rows.land_size[:, :1] / 2 * np.array([1, 1, -1, -1.0])
    dv = rows.land_size[:, 1:] / 2 * np.array([-1, 1, 1, -1.0])
    x = rows.land_center[:, :1] + cos * du - sin * dv
    y = rows.land_center[:, 1:] + sin * du + cos * dv
    boxes: NDArray[np.object_] = shapely.polygons(np.stack([x, y], axis=2))
    return boxes


@lru_cache(maxsize=512)
def land_pattern(assembly: Assembly, component: int) -> BaseGeometry:
    """The copper that a part is soldered to: the union of its pads on the side that is up [m]."""
    return shapely.union_all([land_polygon(p) for p in assembly.components[component].pads if p.kind != "npth" and p.front])


def _neighbours(assembly: Assembly) -> tuple[I32, I32, F64, F64, F64]:
    """Pairs of printed lands that solder could join: different nets, closer than BRIDGE_REACH, sorted by joint.

    The two ends of one chip are no pair: its body holds the paste apart.
    """
    rows = assembly.joints
    printed = np.flatnonzero(rows.aperture_area > 0)
    empty = np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0), np.zeros(0), np.zeros((0, 2))
    if len(printed) < 2:
        return empty
    boxes = land_boxes(assembly)[printed]
    a, b = shapely.STRtree(boxes).query(boxes, predicate="dwithin", distance=BRIDGE_REACH)
    a, b = a[a < b], b[a < b]
    order = np.lexsort((b, a))
    a, b = a[order], b[order]
    gap = shapely.distance(boxes[a], boxes[b])
    net = np.array(rows.net, dtype=object)[printed]
    part, end = rows.component[printed], np.array([k == "chip" for k in rows.kind], bool)[printed]
    keep = (gap > BRIDGE_TOUCH) & ((net[a] != net[b]) | (net[a] == "")) & ~((part[a] == part[b]) & end[a] & end[b])
    a, b, gap = a[keep], b[keep], gap[keep]
    line = shapely.shortest_line(boxes[a], boxes[b])
    ends = shapely.get_coordinates(line).reshape(-1, 2, 2)
    axis = (ends[:, 1] - ends[:, 0]) / gap[:, None]
    normal = np.column_stack([-axis[:, 1], axis[:, 0]])
    corners = shapely.get_coordinates(boxes).reshape(-1, 5, 2)
    pa, pb = np.einsum("pij,pj->pi", corners[a], normal), np.einsum("pij,pj->pi", corners[b], normal)
    facing = np.maximum(np.minimum(pa.max(1), pb.max(1)) - np.maximum(pa.min(1), pb.min(1)), 0)
    keep = facing > 50e-6
    first, second = printed[a[keep]].astype(np.int32), printed[b[keep]].astype(np.int32)
    return first, second, gap[keep], facing[keep], axis[keep]


def _symmetric(assembly: Assembly, c: int, joints: NDArray[np.intp], centroid: F64) -> bool:
    """Whether every soldered terminal lands on another terminal's place when the part is turned by 180°."""
    if not len(joints):
        return False
    at = assembly.joints.term_center[joints] - assembly.position[c] - centroid
    size = assembly.joints.term_size[joints]
    distance = np.hypot(*(at[:, None] + at[None]).transpose(2, 0, 1))
    other = distance.argmin(axis=1)
    return bool((distance.min(axis=1) < 0.1e-3).all() and (np.abs(size[other] - size) < 0.25 * size + 0.05e-3).all())


@lru_cache(maxsize=4)
def body_boxes(assembly: Assembly) -> NDArray[np.object_]:
    """The bodies as oriented rectangles seen from above, (C,) shapely polygons in the board frame [m]. Not to be changed."""
    cos, sin = np.cos(assembly.angle)[:, None], np.sin(assembly.angle)[:, None]
    size = np.array([p.body[:2] for p in assembly.packages], np.float64).reshape(-1, 2)
    middle = np.array([p.center for p in assembly.packages], np.float64).reshape(-1, 2)
    px = middle[:, :1] + size[:, :1] / 2 * np.array([1, 1, -1, -1.0])
    py = middle[:, 1:] + size[:, 1:] / 2 * np.array([-1, 1, 1, -1.0])
    boxes: NDArray[np.object_] = shapely.polygons(
        np.stack([assembly.position[:, :1] + cos * px - sin * py, assembly.position[:, 1:] + sin * px + cos * py], axis=2))
    return boxes


@lru_cache(maxsize=4)
def layout(assembly: Assembly) -> Layout:
    """The Layout of an assembly, kept for the last few assemblies (an Assembly is immutable and compared by identity)."""
    rows, parts = assembly.joints, len(assembly.components)
    start = np.searchsorted(rows.component, np.arange(parts + 1)).astype(np.int32)
    kind = np.array(rows.kind, dtype=object)
    printed, through = rows.aperture_area > 0, kind == "through"
    pinned, soldered = np.zeros(parts, bool), np.zeros(parts, bool)
    pinned[rows.component[through]] = True
    soldered[rows.component[printed]] = True
    centroid, symmetric = np.zeros((parts, 2)), np.zeros(parts, bool)
    farthest = np.zeros(len(rows))
    size = np.zeros((parts, 3))
    two, ends, ratio = [], [], []
    for c, package in enumerate(assembly.packages):
        upright = bool(package.terminals) and abs(np.sin(package.terminals[0].direction)) > 0.7
        size[c] = package.body if not upright else (package.body[1], package.body[0], package.body[2])
        joints = np.arange(start[c], start[c + 1])
        if not len(joints):
            continue
        at = rows.term_center[joints] - assembly.position[c]
        centroid[c] = (at.min(axis=0) + at.max(axis=0)) / 2
        symmetric[c] = _symmetric(assembly, c, joints, centroid[c])
        squared = ((at - centroid[c])**2).sum(axis=1)
        farthest[joints] = squared / max(squared.max(), 1e-12)
        if len(joints) == 2 and all(kind[j] == "chip" and printed[j] for j in joints):
            two.append(c)
            ends.append((start[c], start[c] + 1))
            ratio.append(moment_ratio(size[c, 0], size[c, 1], size[c, 2], package.mass))
    still = np.zeros((len(rows), 2)), np.zeros(len(rows))
    side, end, _, overlap = overhang(assembly, slice(None), *still)
    mass = np.array([p.mass for p in assembly.packages], np.float64)
    free = soldered & ~pinned & (mass > 0)
    wet = np.bincount(rows.component[printed], overlap[printed], parts)
    tack = np.where(free, YIELD * wet / np.where(free, mass, 1.0), np.inf)
    numbers: dict[tuple[str, str], int] = {}
    reel = [numbers.setdefault((c.value, p.name), len(numbers))
            for c, p in zip(assembly.components, assembly.packages, strict=True)]
    return Layout(start, np.diff(start), soldered, pinned, centroid, symmetric, size, np.array(two, np.int32),
                  np.array(ends, np.int32).reshape(-1, 2), np.array(ratio, np.float64), *_neighbours(assembly),
                  side, end, overlap, 3.0 * np.minimum(mass / 1e-3, 1), printed, kind == "ball", through, kind == "gullwing",
                  kind == "chip", (kind == "ball") | (kind == "thermal"), (kind == "bottom") | (kind == "thermal"),
                  np.array([p.polarised for p in assembly.packages], bool), farthest, np.array(reel, np.int32), tack,
                  np.bincount(rows.component[printed], minlength=parts).astype(np.int32),
                  METAL_FRACTION * rows.aperture_area * assembly.stencil_thickness * transfer_efficiency(rows.aperture_ratio),
                  np.where(kind == "ball", np.pi / 6 * rows.term_height**3, 0.0),
                  np.maximum(rows.land_size.prod(axis=1), 1e-12))


__all__ = ["BRIDGE_REACH", "CHIP_KINDS", "Layout", "body_boxes", "land_boxes", "land_pattern", "layout", "least_per_part",
           "moment_ratio", "on_land", "overhang", "per_part"]
