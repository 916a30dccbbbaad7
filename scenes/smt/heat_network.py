"""heat_network: a board with its parts as a network of conductances: what the product fixes, and what a unit's joints change."""
from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from scenes.conduction import Network, cells
from scenes.materials import Material, index
from scenes.parts.model import Package
from scenes.smt.heat_board import Plate, plate
from scenes.smt.heat_parts import AIR, PartHeat, load, part_heat, rails
from scenes.smt.layout import Layout, overhang
from scenes.smt.layout import layout as layout_of
from scenes.smt.reflow import ROUGHNESS, ball_radius
from scenes.smt.state import Assembly, UnitState

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

COLD_LEFT = 0.2                                # [1] of a joint's conductance that is left where nothing coalesced
LAYER = (5e-6, 100e-6, 10e-6)                  # [m] least and greatest solder layer; intermetallics and roughness on top
BARREL = 2.0                                   # [W/K] of a filled plated hole: 2πk·t / ln(r hole / r pin)
SAMPLES = (8, 24)                              # per axis of a land, of a body, to share them out over cells


@dataclass(frozen=True, eq=False)
class Shape:
    """Where the temperature of a part is said to be, in the package frame [m]. T parts have two ends."""
    middle: F64                                # (C, 3)
    reach: F64                                 # (C,)
    two: I64                                   # (T,) part
    ends: I64                                  # (T, 2) its joints
    places: F64                                # (T, 2, 3) where they are


@dataclass(frozen=True, eq=False)
class Prepared:
    """What follows from an assembly alone: C parts, J joints, N cells, S shares of joints or bodies in cells."""
    plate: Plate
    number: I64                                # (rows, columns)
    first: I64                                 # plate edges
    second: I64
    conductance: F64
    capacity: F64                              # (N,) [J/K]
    joint: tuple[I64, I64, F64]                # (S,) joint, cell, share; shares of a joint add up to 1
    body: tuple[I64, I64, F64]                 # (S,) part, cell, share
    spread: F64                                # (J,) [K/W] from the land to the mean of its cells
    parts: tuple[PartHeat, ...]                # (C,)
    inside: F64                                # (J,) [W/K] node to terminal
    power: F64                                 # (C,) [W] by the rule per part
    ground: Bool                               # (J,)
    rail: Bool                                 # (J,)
    shape: Shape
    solder: Material


_PREPARED: WeakKeyDictionary[Assembly, Prepared] = WeakKeyDictionary()


def prepared(assembly: Assembly) -> Prepared:
    """Worked out once per assembly and kept as long as it lives: 40 to 100 ms."""
    found = _PREPARED.get(assembly)
    if found is not None:
        return found
    rows, board = assembly.joints, plate(assembly.board, assembly.materials)
    number, first, second, conductance = cells(board.solid, board.sheet)
    area = board.cell**2
    joint = _shares(board, number, rows.land_center, rows.land_size, rows.land_angle, SAMPLES[0])
    size = np.array([p.body[:2] for p in assembly.packages], np.float64).reshape(-1, 2)
    middle = np.array([p.center for p in assembly.packages], np.float64).reshape(-1, 2)
    cos, sin = np.cos(assembly.angle), np.sin(assembly.angle)
    at = assembly.position + np.column_stack([cos * middle[:, 0] - sin * middle[:, 1], sin * middle[:, 0] + cos * middle[:, 1]])
    body = _shares(board, number, at, size, assembly.angle, SAMPLES[1])
    sheet = board.sheet[board.solid]
    around = np.bincount(joint[0], joint[2] * sheet[joint[1]], len(rows))
    covered = area / np.maximum(np.bincount(joint[0], joint[2]**2, len(rows)), 1e-12)
    ratio = np.sqrt(covered / np.maximum(rows.land_size.prod(axis=1), 1e-12))
    spread = np.log(np.maximum(ratio, 1.0)) / (2 * np.pi * np.maximum(around, 1e-9))
    parts = tuple(part_heat(p, assembly.materials) for p in assembly.packages)
    inside = np.array([parts[c].terminals[t] for c, t in zip(rows.component, rows.terminal, strict=True)], np.float64)
    power = np.array([p.power * load(package, component.reference)
                      for p, package, component in zip(parts, assembly.packages, assembly.components, strict=True)], np.float64)
    ground, rail = rails(rows.net)
    found = Prepared(board, number, first, second, conductance, board.capacity[board.solid] * area, joint, body, spread, parts,
                     inside, power, np.array(ground, bool), np.array(rail, bool), _shape(assembly),
                     assembly.materials[index("solder_sac305")])
    _PREPARED[assembly] = found
    return found


def _shape(assembly: Assembly) -> Shape:
    packages, layout = assembly.packages, layout_of(assembly)
    middle = np.array([body_middle(p) for p in packages], np.float64).reshape(-1, 3)
    reach = np.array([body_reach(p) for p in packages], np.float64)
    two = np.flatnonzero(layout.count == 2).astype(np.int64)
    ends = layout.start[two][:, None].astype(np.int64) + np.array([0, 1])
    places = np.array([end_places(packages[c], assembly.joints.terminal[e].tolist()) for c, e in zip(two, ends, strict=True)],
                      np.float64).reshape(-1, 2, 3)
    return Shape(middle, reach, two, ends, places)


def body_middle(package: Package) -> tuple[float, float, float]:
    """Package frame [m]."""
    return (*package.center, package.body[2] / 2)


def body_reach(package: Package) -> float:
    """Half the diagonal of the body seen from above [m]: its corners are at the temperature of its terminals."""
    return max(float(np.hypot(package.body[0], package.body[1])) / 2, 50e-6)


def end_places(package: Package, terminals: list[int]) -> list[tuple[float, float, float]]:
    """Where a part's ends have their temperature: over its terminals, half way up (package frame [m])."""
    return [(*package.terminals[t].center, package.body[2] / 2) for t in terminals]


def _shares(board: Plate, number: I64, center: F64, size: F64, angle: F64, samples: int) -> tuple[I64, I64, F64]:
    """Oriented rectangles as shares in cells: owner, cell and share, in order of owner and cell."""
    u = (np.arange(samples) + 0.5) / samples - 0.5
    a, b = (v.ravel() for v in np.meshgrid(u, u))
    along, across = size[:, :1] * a, size[:, 1:] * b
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    i, j = board.cell_at(center[:, :1] + cos * along - sin * across, center[:, 1:] + sin * along + cos * across)
    count = int(number.max()) + 1
    key, times = np.unique(np.arange(len(center))[:, None] * count + number[i, j], return_counts=True)
    return key // count, key % count, times / samples**2


@dataclass(frozen=True, eq=False)
class Links:
    """What one unit's network needs beyond the fixed part."""
    solder: F64                                # (J,) [W/K] of the solder alone, air where it is open
    link: F64                                  # (J,) [W/K] node to cells
    conducts: Bool                             # (J,)
    under: F64                                 # (C,) [W/K] through the gap under the body
    exposed: F64                               # (C,) [m²]
    footprint: F64                             # (C,) [m²] of the board that it keeps the air from
    capacity: F64                              # (C,) [J/K]
    half: F64                                  # (C,) [W/K]
    coldness: F64                              # (J,)


def links(assembly: Assembly, fixed: Prepared, layout: Layout, state: UnitState) -> Links:
    """Conductances and capacities of one unit, see the module ``heat`` for what a joint's state does to it."""
    rows = assembly.joints
    c = rows.component
    parts = [fixed.parts[i] if s < 0 else part_heat(state.substitutes[s], assembly.materials)
             for i, s in enumerate(state.substitute.tolist())]
    there = state.present

    # a part that lies the other way round covers the same lands: its overlap is that of the pose before the turn
    turned = np.abs(state.rotation) > np.pi / 2
    offset = state.offset - np.where(turned[:, None], 2 * layout.centroid, 0.0)
    rotation = state.rotation - np.where(turned, np.pi * np.sign(state.rotation), 0.0)
    _, _, _, area = overhang(assembly, slice(None), offset[c], rotation[c])
    layer = np.clip(state.standoff[c], LAYER[0], LAYER[1]) + LAYER[2]
    disc = np.pi * rows.land_size.min(axis=1)**2 / 4
    section = np.where(layout.ball, disc, area)
    height = np.where(layout.ball, np.maximum(state.standoff[c], 50e-6), layer)
    metal = np.where(layout.through, BARREL, fixed.solder.conductivity * section / height)

    filled = np.divide(state.volume, rows.nominal_volume, out=np.zeros(len(rows)), where=rows.nominal_volume > 0)
    coldness = np.where(layout.through, 0.0, np.clip((state.roughness - ROUGHNESS[0]) / (ROUGHNESS[1] - ROUGHNESS[0]), 0, 1))
    share = np.minimum(filled, 1.0)**(2 / 3) * (1 - (1 - COLD_LEFT) * coldness) * (1 - void_share(assembly, state))
    conducts = there[c] & state.wetted & state.land_wetted & (state.gap <= 0) & (state.volume > 0) & (metal > 0)
    air = AIR * np.maximum(section, 1e-10) / (np.maximum(state.gap, 0) + 20e-6)
    solder = np.where(conducts, np.maximum(metal * share, air), air)
    link = np.where(there[c], 1 / (1 / fixed.inside + 1 / solder + fixed.spread), 0.0)

    def of(name: str) -> F64:
        return np.array([getattr(p, name) for p in parts], np.float64)

    lying = there & (state.lift == 0)
    footprint = np.where(lying, of("footprint"), 0.0)
    gap = np.maximum(state.standoff, 0.0) / AIR
    under = np.where(lying, of("footprint") / (of("under") + gap), 0.0)
    exposed = of("exposed") + np.where(state.lift != 0, of("footprint"), 0.0)
    return Links(solder, link, conducts, under, exposed, footprint, of("capacity"), of("half"), coldness)


def void_share(assembly: Assembly, state: UnitState) -> F64:
    """Projected share of each joint that its voids take [1], (J,), at most 0.95."""
    rows, voids = assembly.joints, state.voids
    area = np.bincount(voids.joint, np.pi * voids.radius**2, len(rows))
    ball = np.array([k == "ball" for k in rows.kind], bool)
    whole = np.where(ball, np.pi * ball_radius(assembly, state.standoff)**2, rows.land_size.prod(axis=1))
    return np.minimum(area / np.maximum(whole, 1e-12), 0.95)


def network(assembly: Assembly, fixed: Prepared, unit: Links, state: UnitState, film: float) -> Network:
    """Nodes: N cells, then C parts. ``film`` [W/(m² K)] of the board's faces."""
    count = len(fixed.capacity)
    joint, joint_cell, joint_share = fixed.joint
    body, body_cell, body_share = fixed.body
    owner = assembly.joints.component[joint].astype(np.int64)
    area = fixed.plate.cell**2
    hidden = np.bincount(body_cell, body_share * unit.footprint[body], count)
    board = film * np.maximum(2 * area - hidden, area)
    # a small body's film is thinner than a board's: conduction through still air adds k / √A
    loss = unit.exposed * (film + AIR / np.sqrt(np.maximum(unit.exposed, 1e-9)))
    # the board gains the heat capacity of the solder on it; a part that is not there is a node of its own
    metal = fixed.solder
    solder = np.bincount(joint_cell, joint_share * state.volume[joint], count) * metal.density * metal.specific_heat
    return Network(
        np.concatenate([fixed.first, joint_cell, body_cell]), np.concatenate([fixed.second, count + owner, count + body]),
        np.concatenate([fixed.conductance, unit.link[joint] * joint_share, unit.under[body] * body_share]),
        np.concatenate([board, np.maximum(loss, 1e-9)]),
        np.concatenate([fixed.capacity + solder, np.maximum(unit.capacity, 1e-9)]))


__all__ = ["Links", "Prepared", "body_middle", "body_reach", "end_places", "links", "network", "prepared", "void_share"]
