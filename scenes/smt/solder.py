"""solder: which shape every joint of a unit has, where its part really lies, and the triangles of all of them.

Joints are sorted into shapes by what the state says and by where the terminal is: a fillet where it lies on its land, a
dome where nothing touches the solder, a ball or a head-in-pillow pair under a BGA, a filled barrel around a pin. Each
shape is one array operation.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.geometry import PartKind, Soup, Voids, merge
from scenes.materials import index
from scenes.parts.model import Package
from scenes.smt import joint_shapes as shapes
from scenes.smt.reflow import ROUGHNESS
from scenes.smt.state import Assembly, UnitState

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
I64 = NDArray[np.int64]

KINDS = ("chip", "gullwing", "bottom", "thermal", "ball", "through", "tab")
# how far solder climbs: share of the terminal's height, then the weight outwards, at the sides, towards the body
_CLIMB = np.array([[0.92, 1.0, 0.75, 0.02], [1.5, 0.7, 0.8, 1.1], [1.0, 1.0, 0.12, 0.02], [1.0, 0.1, 0.1, 0.1],
                   [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], [1.4, 1.0, 0.8, 0.5]])
LOW = 0.15e-3                                  # [m] a terminal this close to its land is within reach of the solder
TURNED = 0.5                                   # [rad] from which rotation on terminals are matched to lands anew
NON_WETTING = np.radians(120.0)                # contact angle of solder on a surface that it does not wet


@dataclass(frozen=True, eq=False)
class Terminals:
    """Terminals and lands of an assembly as arrays, one row per joint (J)."""
    center: F64                                # (J, 2) package frame [m]
    size: F64                                  # (J, 2)
    height: F64                                # (J,)
    direction: F64                             # (J,) package frame [rad]
    kind: I64                                  # (J,) index into KINDS
    round: Bool                                # (J,) the land is round or oval
    hole: F64                                  # (J,) radius of the plated hole, 0 without one
    of_component: tuple[I64, ...]              # (C,) joints of each component

    @staticmethod
    def of(assembly: Assembly) -> Terminals:
        """Read off an assembly; once per assembly."""
        rows = assembly.joints
        terminals = [assembly.packages[c].terminals[t] for c, t in zip(rows.component, rows.terminal, strict=True)]
        rounds, holes = np.zeros(len(rows), bool), np.zeros(len(rows))
        for j, (c, number) in enumerate(zip(rows.component, rows.pad, strict=True)):
            pads = [p for p in assembly.components[c].pads if p.number == number and p.kind != "npth"]
            if not pads:
                continue
            x, y = rows.land_center[j]
            pad = min(pads, key=lambda p: ((p.x - x)**2 + (p.y - y)**2, -p.size[0] * p.size[1]))
            rounds[j] = pad.shape in ("circle", "oval") and max(pad.size) < 1.6 * min(pad.size)
            drilled = next((p.drill for p in [pad, *pads] if p.drill), None)
            holes[j] = drilled.diameter / 2 if drilled else 0.0
        count = len(assembly.components)
        order = np.arange(len(rows))
        return Terminals(
            np.array([t.center for t in terminals], np.float64).reshape(-1, 2),
            np.array([t.size for t in terminals], np.float64).reshape(-1, 2),
            np.array([t.height for t in terminals], np.float64), np.array([t.direction for t in terminals], np.float64),
            np.array([KINDS.index(k) for k in rows.kind], np.int64), rounds, holes,
            tuple(order[rows.component == c] for c in range(count)))


@dataclass(frozen=True, eq=False)
class Frame:
    """A unit's parts in place."""
    assembly: Assembly
    state: UnitState
    pose: F64                                  # (C, 4, 4)
    terminals: Terminals


@dataclass(frozen=True, eq=False)
class Solder:
    """What ``solder`` makes."""
    soup: Soup
    lead_lift: dict[int, tuple[tuple[int, float], ...]]   # component → (terminal, height of its foot above the seating plane [m])


@dataclass(frozen=True, eq=False)
class Touch:
    """Where terminals are against their lands, for the joints asked (n). Land frame: x along ``land_angle`` [m]."""
    center: F64                                # (n, 2)
    half: F64                                  # (n, 2)
    angle: F64                                 # (n,)
    low: F64                                   # (n,) lowest point above the land
    tall: F64                                  # (n,) vertical extent of the metallisation
    overlap: Bool                              # (n,) lies over its land


def touch(frame: Frame, joints: I64) -> Touch:
    """Where the terminals of these joints really are."""
    rows, state, t = frame.assembly.joints, frame.state, frame.terminals
    component = rows.component[joints]
    center, size, height, direction = t.center[joints], t.size[joints], t.height[joints], t.direction[joints]
    spun = np.abs(np.angle(np.exp(1j * state.rotation))) > TURNED
    for c in np.flatnonzero((spun | (state.substitute >= 0)) & state.present):
        mine = np.flatnonzero(component == c)
        if len(mine):
            center, size, height, direction = (a.copy() for a in (center, size, height, direction))
            package = state.substitutes[state.substitute[c]] if state.substitute[c] >= 0 else frame.assembly.packages[c]
            _rematch(frame, package, int(c), joints[mine], mine, center, size, height, direction)
    pose = frame.pose[component]
    rotation, at = pose[:, :3, :3], pose[:, :3, 3]
    cos, sin = np.cos(direction), np.sin(direction)
    ball = t.kind[joints] == KINDS.index("ball")
    middle = np.einsum("nij,nj->ni", rotation, np.column_stack([center, np.where(ball, height, 0.0)])) + at
    axes = np.stack(
        [
            rotation[:, :, 0] * cos[:, None] + rotation[:, :, 1] * sin[:, None],
            rotation[:, :, 1] * cos[:, None] - rotation[:, :, 0] * sin[:, None],
            rotation[:, :, 2],
        ],
        axis=1,
    )  # (n, 3 axes, 3)
    axes[:, 0] *= size[:, :1] / 2
    axes[:, 1] *= size[:, 1:] / 2
    axes[:, 2] *= np.where(ball, 0.0, height)[:, None] / 2
    box_middle = middle + axes[:, 2]
    reach = np.abs(axes).sum(axis=1)                                       # half extents of the box in board axes
    low, tall = box_middle[:, 2] - reach[:, 2], 2 * reach[:, 2]

    lc, ls = np.cos(rows.land_angle[joints]), np.sin(rows.land_angle[joints])
    land = rows.land_center[joints]

    def local(d: F64) -> F64:
        return np.column_stack([lc * d[:, 0] + ls * d[:, 1], -ls * d[:, 0] + lc * d[:, 1]])
    flat = (np.abs(state.lift[component]) < 0.02) & (state.orientation[component] == 0)
    place = local(np.where(flat[:, None], middle[:, :2], box_middle[:, :2]) - land)
    turned = np.stack([local(axes[:, k, :2]) for k in range(3)], axis=1)
    box_half = np.abs(turned).sum(axis=1)
    yaw = np.arctan2(turned[:, 0, 1], turned[:, 0, 0])
    half = np.where(flat[:, None], size / 2, box_half)
    angle = np.where(flat & (t.kind[joints] != KINDS.index("thermal")), yaw, 0.0)
    extent = np.where(flat[:, None], box_half, half)
    common = np.minimum(place + extent, rows.land_size[joints] / 2) - np.maximum(place - extent, -rows.land_size[joints] / 2)
    overlap = (common > 0).all(axis=1) & (np.clip(common, 0, None).prod(axis=1) > 0.004 * 4 * extent.prod(axis=1))
    return Touch(place, half, angle, low, tall, overlap)


def _rematch(
    frame: Frame, package: Package, c: int, joints: I64, rows: I64, center: F64, size: F64, height: F64, direction: F64
) -> None:
    """For a turned or wrong part: whichever of its terminals lies nearest each land, written into the arrays at ``rows``."""
    if not package.terminals:
        center[rows] += 1.0                                                # no terminal: far from every land
        return
    points = np.array([t.center for t in package.terminals])
    pose = frame.pose[c]
    placed = points @ pose[:2, :2].T + pose[:2, 3]
    land = frame.assembly.joints.land_center[joints]
    nearest = np.argmin(((land[:, None] - placed[None])**2).sum(axis=2), axis=1)
    for row, joint, k in zip(rows, joints, nearest, strict=True):
        t = package.terminals[k]
        along = t.direction
        # a terminal and its land share an axis only up to a half turn, and a square part's up to a quarter turn
        yaw = float(np.arctan2(pose[1, 0], pose[0, 0]))
        quarter = round((frame.assembly.joints.land_angle[joint] - yaw - along) / (np.pi / 2))
        center[row], height[row], direction[row] = t.center, t.height, along + quarter * np.pi / 2
        size[row] = t.size if quarter % 2 == 0 else t.size[::-1]


def solder(frame: Frame, joints: I64, smoothest: float = 0.0) -> Solder:
    """The solder of ``joints`` as triangles, and which leads stand above theirs.

    ``smoothest``: perceptual roughness of a healthy surface in this look [1], see :func:`shown_roughness`.
    """
    rows, state, t = frame.assembly.joints, frame.state, frame.terminals
    joints = joints[state.volume[joints] > shapes.TINY]
    if not len(joints):
        return Solder(Soup.empty(), {})
    where = touch(frame, joints)
    rough = shown_roughness(state.roughness, smoothest)
    component = rows.component[joints]
    there, kind = state.present[component], t.kind[joints]
    ball, through = kind == KINDS.index("ball"), kind == KINDS.index("through")
    near = there & where.overlap & (where.low < LOW) & ~ball & ~through & (state.gap[joints] <= 0)
    open_ = ~near & ~(ball & there) & ~through
    part = np.where(there, int(PartKind.JOINT), int(PartKind.PASTE)).astype(np.uint8)
    first_id = 2 + len(frame.assembly.components)
    soups: list[Soup] = []
    top = np.zeros(len(joints))

    def add(bodies: shapes.Bodies, pick: I64, first: int = 0, turn: bool = True) -> None:
        who = joints[pick]
        if turn:
            bodies = _to_board(bodies, rows.land_center[who], rows.land_angle[who])
        soups.append(soup_of(bodies, (first_id + who).astype(np.uint32), part[pick], rough[who], first))

    pick = np.flatnonzero(near)
    if len(pick):
        who = joints[pick]
        climb = _CLIMB[kind[pick]].T
        angle = np.where(state.wetted[who], state.contact_angle[who], NON_WETTING)
        contact = shapes.Contact(
            rows.land_size[who] / 2, where.center[pick], where.half[pick], where.angle[pick], np.maximum(where.low[pick], 3e-6),
            np.maximum(climb[0] * where.tall[pick], 15e-6), climb[1], climb[2], climb[3])
        add(shapes.fillets(contact, state.volume[who], angle), pick, 1)

    for wet in (True, False):
        pick = np.flatnonzero(open_ & (state.land_wetted[joints] == wet))
        if len(pick):
            who = joints[pick]
            # a part that is not there has not brought its ball
            volume = state.volume[who] - np.where(ball[pick], np.pi / 6 * rows.term_height[who]**3, 0)
            keep = volume > shapes.TINY
            pick, who, volume = pick[keep], who[keep], volume[keep]
            if not len(pick):
                continue
            if wet:
                bodies = shapes.domes(0.985 * rows.land_size[who] / 2, np.zeros((len(pick), 2)), t.round[who], volume)
            else:
                lc, ls = np.cos(rows.land_angle[who]), np.sin(rows.land_angle[who])
                shift = state.paste_offset[who]
                center = np.column_stack([lc * shift[:, 0] + ls * shift[:, 1], -ls * shift[:, 0] + lc * shift[:, 1]])
                bodies = shapes.beads(center, volume, np.full(len(pick), NON_WETTING))
            assert bodies.top is not None
            top[pick] = np.maximum(bodies.top[:, 2], bodies.rings[..., 2].max(axis=(1, 2)))
            add(bodies, pick)

    pick = np.flatnonzero(through)
    if len(pick):
        who = joints[pick]
        hole = np.where(t.hole[who] > 0, t.hole[who], 0.4 * rows.land_size[who].min(axis=1))
        pin = np.where(there[pick], t.size[who].min(axis=1) / 2, 0.05 * hole)
        half = np.maximum(rows.land_size[who] / 2, hole[:, None] * 1.02)
        add(shapes.barrels(np.zeros((len(pick), 2)), pin, hole, half, np.full(len(pick), frame.assembly.board.thickness),
                           state.volume[who]), pick)
    soups += _bga(frame, joints, where, np.flatnonzero(ball & there), part, rough)
    return Solder(
        merge(soups),
        _lifts(frame, joints, np.flatnonzero(there & (kind == KINDS.index("gullwing")) & (state.gap[joints] > 0)), top),
    )


def _to_board(bodies: shapes.Bodies, center: F64, angle: F64) -> shapes.Bodies:
    """Land frame → board frame."""
    cos, sin = np.cos(angle), np.sin(angle)

    def turned(p: F64 | None, shift: F64 = center) -> F64 | None:
        if p is None:
            return None
        extra = (slice(None), *(None,) * (p.ndim - 2))
        c, s = cos[extra], sin[extra]
        out = np.empty_like(p)
        out[..., 0] = c * p[..., 0] - s * p[..., 1] + shift[:, 0][extra]
        out[..., 1] = s * p[..., 0] + c * p[..., 1] + shift[:, 1][extra]
        out[..., 2] = p[..., 2]
        return out
    rings = turned(bodies.rings)
    assert rings is not None
    return shapes.Bodies(rings, turned(bodies.top), turned(bodies.bottom), turned(bodies.tangent, np.zeros_like(center)))


def _bga(frame: Frame, joints: I64, where: Touch, pick: I64, part: NDArray[np.uint8], rough: F64) -> list[Soup]:
    """Balls: collapsed onto their lands, or kept apart from the paste (head-in-pillow)."""
    if not len(pick):
        return []
    rows, state, t = frame.assembly.joints, frame.state, frame.terminals
    first_id = 2 + len(frame.assembly.components)
    out = []
    who = joints[pick]
    land = rows.land_center[who]
    la = rows.land_angle[who]
    cos, sin = np.cos(la), np.sin(la)
    local = where.center[pick]
    top = land + np.column_stack([cos * local[:, 0] - sin * local[:, 1], sin * local[:, 0] + cos * local[:, 1]])
    height = np.maximum(where.low[pick], 20e-6)
    radius, pad = rows.land_size[who].min(axis=1) / 2, t.size[who].min(axis=1) / 2
    whole = state.wetted[who] & (state.gap[who] <= 0)
    k = np.flatnonzero(whole)
    if len(k):
        bodies = shapes.balls(land[k], radius[k], top[k], pad[k], height[k], state.volume[who[k]])
        out.append(soup_of(bodies, (first_id + who[k]).astype(np.uint32), part[pick[k]], rough[who[k]]))
    k = np.flatnonzero(~whole)
    if len(k):
        volume = state.volume[who[k]]
        ball = np.minimum(np.pi / 6 * rows.term_height[who[k]]**3, 0.95 * volume)
        gap = np.maximum(state.gap[who[k]], 0.0)
        paste = volume - ball
        crest = np.minimum(shapes.cap_height(radius[k], paste), 0.45 * height[k])
        base = np.maximum(radius[k], np.sqrt(2 * paste / (np.pi * np.maximum(crest, 1e-9))) * 0.7)
        cap = shapes.domes(np.column_stack([base, base]), np.zeros((len(k), 2)), np.ones(len(k), bool), paste)
        assert cap.top is not None
        low = np.minimum(cap.top[:, 2] + gap, 0.9 * height[k])
        ids = (first_id + who[k]).astype(np.uint32)
        out.append(soup_of(_to_board(cap, land[k], np.zeros(len(k))), ids, part[pick[k]], rough[who[k]]))
        out.append(soup_of(shapes.hanging(top[k], low, height[k], ball), ids, part[pick[k]], rough[who[k]]))
    return out


def hollows(frame: Frame, shown: Bool) -> Voids | None:
    """Voids of the balls that are drawn, in place; kept inside a body that is lower than they are. ``shown`` (J,)."""
    rows, state = frame.assembly.joints, frame.state
    voids = state.voids
    keep = np.flatnonzero(shown[voids.joint] & state.present[rows.component[voids.joint]]
                          & (state.volume[voids.joint] > shapes.TINY))
    if not len(keep):
        return None
    joint = voids.joint[keep].astype(np.int64)
    where = touch(frame, joint)
    height = np.maximum(where.low, 20e-6)
    cos, sin = np.cos(rows.land_angle[joint]), np.sin(rows.land_angle[joint])
    lean = np.column_stack([cos * where.center[:, 0] - sin * where.center[:, 1],
                            sin * where.center[:, 0] + cos * where.center[:, 1]])
    radius = np.minimum(voids.radius[keep], 0.98 * height / 2)
    z = np.clip(height / 2 + voids.center[keep, 2], 1.01 * radius, height - 1.01 * radius)
    xy = rows.land_center[joint] + lean * (z / height)[:, None] + voids.center[keep, :2]
    return Voids(np.column_stack([xy, z]), radius, (2 + len(frame.assembly.components) + joint).astype(np.uint32))


def _lifts(frame: Frame, joints: I64, pick: I64, top: F64) -> dict[int, tuple[tuple[int, float], ...]]:
    """Leads whose foot stands above its solder by the state's gap. Whole micrometres, so that meshes can be shared."""
    rows, state = frame.assembly.joints, frame.state
    out: dict[int, list[tuple[int, float]]] = {}
    for p in pick:
        j = int(joints[p])
        c = int(rows.component[j])
        if state.substitute[c] >= 0 or state.orientation[c] != 0:
            continue
        lift = max(float(top[p]) + float(state.gap[j]) - float(state.standoff[c]), 0.0)
        out.setdefault(c, []).append((_standing_on(frame, j), round(lift * 1e6) * 1e-6))
    return {c: tuple(v) for c, v in out.items()}


def _standing_on(frame: Frame, j: int) -> int:
    """The terminal that stands on a joint's land: its own, unless its part lies turned."""
    rows, state = frame.assembly.joints, frame.state
    c = int(rows.component[j])
    if abs(np.angle(np.exp(1j * state.rotation[c]))) <= TURNED:
        return int(rows.terminal[j])
    placed = np.array([t.center for t in frame.assembly.packages[c].terminals]) @ frame.pose[c, :2, :2].T + frame.pose[c, :2, 3]
    return int(np.argmin(((placed - rows.land_center[j])**2).sum(axis=1)))


def shown_roughness(alpha: F64, healthy: float) -> F64:
    """What a renderer is given: perceptual roughness, whose square is GGX α.

    A healthy joint (α at or below the process's own healthy value) is as shiny as the look says, ``healthy``; what a joint
    is rougher than that adds to α, so a cold joint is dull in every look.
    """
    return np.sqrt(healthy**2 + np.maximum(alpha - ROUGHNESS[0], 0.0))


def soup_of(
    bodies: shapes.Bodies, ids: NDArray[np.uint32], part: PartKind | NDArray[np.uint8], roughness: F64, first: int = 0
) -> Soup:
    """Bodies of one topology as triangles. ``ids``, ``roughness`` (and ``part``, where an array): (J,)."""
    points = shapes.vertices(bodies)
    count, per_body = points.shape[:2]
    face = shapes.faces(*bodies.rings.shape[1:3], bodies.top is None)
    every = (np.arange(count, dtype=np.uint32) * np.uint32(per_body))[:, None, None] + face.astype(np.uint32)[None]
    parts = np.repeat(part, per_body) if isinstance(part, np.ndarray) else np.full(count * per_body, int(part), np.uint8)
    return Soup(points.reshape(-1, 3).astype(np.float32), shapes.normals(bodies, first).reshape(-1, 3), every.reshape(-1, 3),
                np.full(count * per_body, index("solder_sac305"), np.uint8), parts, np.repeat(ids.astype(np.uint32), per_body),
                np.repeat(roughness.astype(np.float32), per_body))


__all__ = ["KINDS", "Frame", "Solder", "Terminals", "Touch", "hollows", "shown_roughness", "solder", "soup_of", "touch"]
