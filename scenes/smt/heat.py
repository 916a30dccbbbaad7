"""heat: how warm everything on one unit is, powered or cooling. From joints, parts and copper to a ``TemperatureField``.

One network (``scenes.conduction``): the board's cells, and a node per part. A joint is a conductance from its part's node to the
cells under its land: the path inside the package, the solder, and the spreading within a cell, in series. What is wrong
with a joint acts through its solder:

    contact      overlap of terminal and land as the part lies; less solder wets less of it, as (V / V nominal)^(2/3)
    cold         solder that has not coalesced is porous and touches in places: up to 1/5 of the conductance
    void         a projected share f takes its part of the section: conductance · (1 − f)   (domain reference 4.2)
    open         a gap, or solder that has not wetted: still air instead of metal

Electrically a joint conducts or it is open; a part with up to three of them needs all. A part with more needs at least one
conducting joint among those on ground and one among those on supply rails, by net name; without such names, more than half
of all joints. A polarised part that is turned draws nothing. Parts are judged one by one: a dead regulator does not switch
off what it feeds.

Solder that joins a supply rail to ground or to another rail carries the fault current; between other nets, or where nets
are not known, what a signal driver gives. Its heat is I²R of the neck, and of the copper that feeds it on both sides.

Not modelled: temperature across the board's thickness, via barrels, radiation between parts, heat from one part's air to
the next, load that changes with temperature.
"""
from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import SuperLU

from scenes.conduction import Network, factor, steady, transient
from scenes.heat import Cooling, Powered, TemperatureField
from scenes.parts.model import Package
from scenes.smt.geometry import bridge_ids, component_pose
from scenes.smt.heat_network import (
    Links,
    Prepared,
    body_middle,
    body_reach,
    end_places,
    links,
    network,
    prepared,
    void_share,
)
from scenes.smt.heat_parts import AIR, load, part_heat
from scenes.smt.layout import Layout
from scenes.smt.layout import layout as layout_of
from scenes.smt.process import Process
from scenes.smt.simulate import simulate
from scenes.smt.state import Assembly, UnitState

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

RESISTIVITY = 1.3e-7                           # [Ω m] SAC305 (NIST solder database: 0.13 µΩ m)
COLD_OHM = 0.1                                 # [Ω] contact resistance of a joint where nothing coalesced
SIGNAL_CURRENT = 0.05                          # [A] of a signal driver into a short
FEED = 5e-3                                    # [Ω] of each copper feed to a bridge: ten squares of 35 µm
ALL_NEEDED = 3                                 # joints of diodes, resistors, transistors, small regulators
TUNNEL_STEPS, ROOM_STEPS = 4, 4                # implicit steps; against 100 each, no temperature differs by over 0.4 K of 220


def powers(assembly: Assembly, state: UnitState, mode: Powered) -> F64:
    """Heat that every part turns [W], (C,): the rule per part or its share of ``mode.total``, 0 where its supply is open."""
    fixed, layout = prepared(assembly), layout_of(assembly)
    return _powers(assembly, fixed, layout, state, mode, links(assembly, fixed, layout, state))


def _powers(assembly: Assembly, fixed: Prepared, layout: Layout, state: UnitState, mode: Powered, unit: Links) -> F64:
    c, count = assembly.joints.component, len(assembly.components)
    scale = 1.0 if mode.total is None else mode.total / max(float(fixed.power.sum()), 1e-12)
    own = fixed.power.copy()
    for i in np.flatnonzero(state.substitute >= 0).tolist():
        package: Package = state.substitutes[state.substitute[i]]
        own[i] = part_heat(package, assembly.materials).power * load(package, assembly.components[i].reference)

    def counted(which: Bool) -> I64:
        return np.bincount(c[which], minlength=count)

    joints, good = counted(np.ones(len(c), bool)), counted(unit.conducts)
    fed = np.ones(count, bool)
    for group in (fixed.ground, fixed.rail):
        fed &= (counted(group) == 0) | (counted(group & unit.conducts) > 0)
    named = (counted(fixed.ground) > 0) | (counted(fixed.rail) > 0)
    fed &= named | (2 * good > joints)
    fed = np.where(joints <= ALL_NEEDED, (good == joints) & (joints > 0), fed)
    turned = layout.polarised & (np.abs(np.angle(np.exp(1j * state.rotation))) > np.pi / 2)
    heat = np.where(state.present & fed & ~turned, own * scale, 0.0)

    # the same current goes through every joint of a two-ended part, and is shared by the rails' joints of another
    current = heat / mode.supply
    lanes = np.where(joints <= 2, 1, np.maximum(counted(fixed.rail & unit.conducts), 1))
    carries = unit.conducts & ((joints <= 2)[c] | fixed.rail | fixed.ground)
    contact = np.bincount(c, np.where(carries, COLD_OHM * unit.coldness, 0.0), count)
    return np.asarray(heat + (current / lanes)**2 * contact)


@dataclass(frozen=True, eq=False)
class _Necks:
    """Bridges as resistors, (B,) each."""
    length: F64                                # [m]
    section: F64                               # [m²]
    current: F64                               # [A]

    @property
    def heat(self) -> F64:
        """I²R [W]."""
        return np.asarray(self.current**2 * RESISTIVITY * self.length / np.maximum(self.section, 1e-12))


def _necks(assembly: Assembly, fixed: Prepared, state: UnitState, mode: Powered | Cooling) -> _Necks:
    rows, bridges = assembly.joints, state.bridges
    a, b = bridges.first, bridges.second
    away = rows.land_center[b] - rows.land_center[a]
    distance = np.hypot(*away.T)
    way = away / np.maximum(distance, 1e-9)[:, None]

    def half(joint: NDArray[np.int32]) -> F64:
        """From the middle of a land to its edge towards the other one."""
        cos = np.abs(np.cos(rows.land_angle[joint]) * way[:, 0] + np.sin(rows.land_angle[joint]) * way[:, 1])
        sides = rows.land_size[joint] / 2
        return np.minimum(sides[:, 0] / np.maximum(cos, 1e-9), sides[:, 1] / np.maximum(np.sqrt(1 - np.minimum(cos, 1)**2), 1e-9))

    length = np.maximum(distance - half(a) - half(b), 50e-6)
    section = np.pi / 4 * bridges.width * bridges.height
    if isinstance(mode, Cooling):
        return _Necks(length, section, np.zeros(len(a)))
    supply = fixed.rail | fixed.ground
    apart = np.array([rows.net[i] != rows.net[j] or rows.net[i] == "" for i, j in zip(a, b, strict=True)], bool)
    current = np.where(supply[a] & supply[b], mode.fault_current, min(SIGNAL_CURRENT, mode.fault_current))
    return _Necks(length, section, np.where(apart, current, 0.0))


def heat(assembly: Assembly, state: UnitState, mode: Powered | Cooling) -> TemperatureField:
    """Temperatures of one unit: in its steady state under power, or some time after the oven.

    About 6 ms (cooling 30 ms) on a board of 3000 cells. Deterministic: the same arguments give the same bytes.
    """
    fixed, layout = prepared(assembly), layout_of(assembly)
    unit = links(assembly, fixed, layout, state)
    necks = _necks(assembly, fixed, state, mode)
    if isinstance(mode, Powered):
        source = _source(assembly, fixed, layout, state, unit, mode, necks)
        theta = steady(network(assembly, fixed, unit, state, mode.film), source, _ordinary(assembly, mode.film))
    else:
        none = np.zeros(len(fixed.capacity) + len(assembly.components))
        theta = none + (mode.start - mode.tunnel_air)
        theta = transient(network(assembly, fixed, unit, state, mode.tunnel_film), theta, none, mode.tunnel, TUNNEL_STEPS)
        theta += mode.tunnel_air - mode.air
        theta = transient(network(assembly, fixed, unit, state, mode.film), theta, none, mode.after, ROOM_STEPS)
    return _field(assembly, fixed, state, unit, theta + mode.air, mode, necks)


_ORDINARY: WeakKeyDictionary[Assembly, dict[float, SuperLU]] = WeakKeyDictionary()


def _ordinary(assembly: Assembly, film: float) -> SuperLU:
    """Factor of the network of a unit as the line makes it where nothing is wrong, which those of all units are near to.

    Always the same unit: what a unit's temperatures are must not depend on which one was asked for before. Kept per product.
    """
    kept = _ORDINARY.setdefault(assembly, {})
    if film not in kept:
        fixed, layout = prepared(assembly), layout_of(assembly)
        state = simulate(assembly, Process(), np.random.default_rng(0))
        kept[film] = factor(network(assembly, fixed, links(assembly, fixed, layout, state), state, film))
    return kept[film]


def powered_network(assembly: Assembly, state: UnitState, mode: Powered) -> tuple[Network, F64]:
    """The network of a unit under power, cells first, then parts, and the heat that flows into each node [W]."""
    fixed, layout = prepared(assembly), layout_of(assembly)
    unit = links(assembly, fixed, layout, state)
    source = _source(assembly, fixed, layout, state, unit, mode, _necks(assembly, fixed, state, mode))
    return network(assembly, fixed, unit, state, mode.film), source


def _source(assembly: Assembly, fixed: Prepared, layout: Layout, state: UnitState, unit: Links, mode: Powered,
            necks: _Necks) -> F64:
    """Heat into every node [W], (N + C,)."""
    count, given = len(fixed.capacity), np.zeros(len(assembly.joints))
    for joints in (state.bridges.first, state.bridges.second):
        np.add.at(given, joints, necks.heat / 2 + necks.current**2 * FEED)
    cell = np.bincount(fixed.joint[1], given[fixed.joint[0]] * fixed.joint[2], count)
    return np.concatenate([cell, _powers(assembly, fixed, layout, state, mode, unit)])


def _field(assembly: Assembly, fixed: Prepared, state: UnitState, unit: Links, kelvin: F64, mode: Powered | Cooling,
           necks: _Necks) -> TemperatureField:
    """From node temperatures (N + C,) [K] to what a camera can look up."""
    rows, shape, board = assembly.joints, fixed.shape, fixed.plate
    cell, node = kelvin[:len(fixed.capacity)], kelvin[len(fixed.capacity):].copy()
    pad = np.bincount(fixed.joint[0], fixed.joint[2] * cell[fixed.joint[1]], len(rows))
    below = np.bincount(fixed.body[0], fixed.body[2] * cell[fixed.body[1]], len(node))
    node = np.where(state.present, node, below)
    flow = unit.link * (node[rows.component] - pad)
    end = node[rows.component] - flow / fixed.inside
    joint = pad + flow * (fixed.spread + np.where(unit.conducts, 0.5 / unit.solder, 0.0))   # open: the solder is on its land

    # parts: the temperature of their terminals, and the middle's excess over it
    weight = np.bincount(rows.component, unit.link, len(node))
    edge = np.bincount(rows.component, unit.link * end, len(node))
    edge = np.where(weight > 1e-9, edge / np.maximum(weight, 1e-9), node)
    middle, reach = shape.middle.copy(), shape.reach.copy()
    places, paired = shape.places, np.ones(len(shape.two), bool)
    for c in np.flatnonzero(state.substitute >= 0).tolist():
        package = state.substitutes[state.substitute[c]]
        middle[c], reach[c] = body_middle(package), body_reach(package)
        for t in np.flatnonzero(shape.two == c).tolist():
            paired[t] = len(package.terminals) == 2
            if paired[t]:
                places = places.copy()
                places[t] = end_places(package, [0, 1])
    pose = component_pose(assembly, state)
    gradient = np.zeros((len(node), 3))
    two, ends = shape.two[paired], shape.ends[paired]
    if len(two):
        # an end without a joint gives its heat to the air: half the body cools it, a fin of the first order
        small = mode.film + AIR / np.sqrt(np.maximum(unit.exposed, 1e-9))
        fin = 0.25 * small * unit.exposed * (node - mode.air) / unit.half
        tip = np.where(unit.conducts[ends], end[ends], (node - fin)[two][:, None])
        at = np.einsum("tij,tpj->tpi", pose[two, :3, :3], places[paired]) + pose[two, None, :3, 3]
        turned = np.abs(state.rotation[two]) > np.pi / 2                  # its ends have changed places
        at = np.where(turned[:, None, None], at[:, ::-1], at)
        axis = at[:, 1] - at[:, 0]
        squared = np.maximum((axis**2).sum(axis=1), 1e-12)
        gradient[two] = ((tip[:, 1] - tip[:, 0]) / squared)[:, None] * axis
        edge[two] = tip.mean(axis=1)
    place = np.einsum("cij,cj->ci", pose[:, :3, :3], middle) + pose[:, :3, 3]

    # joints have one temperature; a neck has that of its two lands, and in its middle the excess of a rod heated evenly
    a, b = state.bridges.first, state.bridges.second
    neck = np.column_stack([(rows.land_center[a] + rows.land_center[b]) / 2, state.bridges.height / 2])
    excess = necks.heat * necks.length / (8 * fixed.solder.conductivity * np.maximum(necks.section, 1e-12))
    land = np.column_stack([rows.land_center, np.zeros(len(rows))])
    none = np.zeros((len(rows) + len(a), 3))
    grid = np.take(cell, fixed.number[board.nearest[0], board.nearest[1]])
    return TemperatureField(
        grid, board.origin, board.cell, mode.air,
        np.concatenate([assembly.component_ids, assembly.joint_ids, bridge_ids(assembly, state)]),
        np.concatenate([edge, joint, (joint[a] + joint[b]) / 2]), np.concatenate([gradient, none]),
        np.concatenate([place, land, neck]), np.concatenate([node - edge, np.zeros(len(rows)), excess]),
        np.concatenate([reach, np.full(len(rows), 1e-3), np.maximum(necks.length, 1e-4)]))


__all__ = ["heat", "powered_network", "powers", "void_share"]
