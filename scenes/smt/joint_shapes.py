"""Joint shapes: closed solder bodies from volume, wetting and geometry, all joints of a kind in one array operation.

Every body has one topology: an apex, R rings of S vertices, an apex (through-hole joints close on themselves instead).
Volumes are exact: heights enter a body's volume linearly where the outline is fixed, so the free surface is solved for
in closed form, and the last factor is the mesh's own volume. Frames: the land frame (x along the terminal's outward
direction, origin at the land's centre, z = 0 on the land) [m].

Shape letters: J joints, R rings, S segments.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

TINY = 1e-18                                   # [m³] less solder than this is not drawn
FILLET_T = np.array([0.0, 0.0, 0.14, 0.36, 0.66, 1.0])   # ring positions from the terminal (0) to the land's edge (1)
DOME_T = np.array([0.16, 0.36, 0.56, 0.75, 0.90, 1.0])   # polar angle of a dome's rings, share of the contact angle
BALL_T = np.linspace(1.0, 0.0, 11)   # ring heights of a collapsed ball, top to bottom
OVERFLOW = 1.8                                 # [1] of the wettable height that a bulge may reach
HOLLOW = 12.0                                  # greatest exponent of a fillet that thins out before the land's edge
STEEP = 0.35                                   # least exponent of a bulging fillet before it climbs over the terminal


@dataclass(frozen=True, eq=False)
class Bodies:
    """Closed bodies with one topology. ``rings`` (J, R, S, 3); ``top`` and ``bottom`` (J, 3) apexes, None for a torus.

    ``tangent`` (J, R, S, 3), where the shape knows it: direction in which the surface leaves each ring for the next.
    """
    rings: F64
    top: F64 | None
    bottom: F64 | None
    tangent: F64 | None = None

    def __len__(self) -> int:
        return len(self.rings)


@lru_cache(maxsize=32)
def faces(rings: int, segments: int, torus: bool = False) -> I64:
    """Triangles of one body. Vertex order: rings (R·S), then top apex, then bottom apex."""
    k = np.arange(segments)
    nxt = (k + 1) % segments
    out = []
    for r in range(rings if torus else rings - 1):
        a, b = r * segments, ((r + 1) % rings) * segments
        out += [np.column_stack([a + k, b + k, b + nxt]), np.column_stack([a + k, b + nxt, a + nxt])]
    if not torus:
        top, bottom, last = rings * segments, rings * segments + 1, (rings - 1) * segments
        out += [
            np.column_stack([np.full(segments, top), k, nxt]),
            np.column_stack([np.full(segments, bottom), last + nxt, last + k]),
        ]
    return np.concatenate(out)


def vertices(bodies: Bodies) -> F64:
    """(J, V, 3), in the order of ``faces``."""
    count = len(bodies)
    flat = bodies.rings.reshape(count, -1, 3)
    if bodies.top is None or bodies.bottom is None:
        return flat
    return np.concatenate([flat, bodies.top[:, None], bodies.bottom[:, None]], axis=1)


def volumes(bodies: Bodies) -> F64:
    """Enclosed volume of every body [m³], (J,)."""
    v, f = vertices(bodies), faces(*bodies.rings.shape[1:3], bodies.top is None)
    v = v - v.mean(axis=1, keepdims=True)
    a, b, c = v[:, f[:, 0]], v[:, f[:, 1]], v[:, f[:, 2]]
    result: F64 = np.einsum("jfi,jfi->j", a, np.cross(b, c)) / 6
    return result


def normals(bodies: Bodies, first: int = 0) -> NDArray[np.float32]:
    """Unit vertex normals (J, V, 3) by central differences over the rings; rings before ``first`` are hidden walls.

    The visible surface starts at ring ``first``, where differences are one-sided.
    """
    x, y, z = (np.ascontiguousarray(bodies.rings[..., i] * 1e3).astype(np.float32) for i in range(3))

    def along(v: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate([v[..., 1:], v[..., :1]], axis=-1) - np.concatenate([v[..., -1:], v[..., :-1]], axis=-1)

    def outwards(v: NDArray[np.float32]) -> NDArray[np.float32]:
        if bodies.top is None:
            return np.roll(v, -1, axis=1) - np.roll(v, 1, axis=1)
        out = np.empty_like(v)
        out[:, 1:-1] = v[:, 2:] - v[:, :-2]
        out[:, -1] = v[:, -1] - v[:, -2]
        out[:, first] = v[:, first + 1] - v[:, first]
        out[:, :first] = out[:, first:first + 1]
        return out
    ax, ay, az = along(x), along(y), along(z)
    if bodies.tangent is None:
        ox, oy, oz = outwards(x), outwards(y), outwards(z)
    else:
        ox, oy, oz = (np.ascontiguousarray(bodies.tangent[..., i] * 1e3).astype(np.float32) for i in range(3))
    count, points = len(x), x[0].size if len(x) else 0
    apexes = 0 if bodies.top is None else 2
    n = np.empty((count, points + apexes, 3), np.float32)
    nx, ny, nz = oy * az - oz * ay, oz * ax - ox * az, ox * ay - oy * ax
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    length = 1 / np.maximum(length, np.float32(1e-20))
    for i, part in enumerate((nx, ny, nz)):
        n[:, :points, i] = (part * length).reshape(count, -1)
    if apexes:
        n[:, -2:] = 0
        n[:, -2, 2], n[:, -1, 2] = 1, -1
    return n


@lru_cache(maxsize=8)
def square(segments: int) -> F64:
    """``segments`` points counter-clockwise around the square [−1, 1]², corners included, denser near them, (S, 2)."""
    side = segments // 4
    u = np.linspace(0, 1, side, endpoint=False)
    u = np.where(u > 0, -np.cos(np.pi * u), -1.0)
    ring = [np.column_stack([np.ones(side), u]), np.column_stack([-u, np.ones(side)]),
            np.column_stack([-np.ones(side), -u]), np.column_stack([u, -np.ones(side)])]
    return np.concatenate(ring)


def circle(segments: int) -> F64:
    """Unit circle whose polygon has the circle's area, counter-clockwise, (S, 2)."""
    a = 2 * np.pi * np.arange(segments) / segments
    return np.column_stack([np.cos(a), np.sin(a)]) * np.sqrt(2 * np.pi / segments / np.sin(2 * np.pi / segments))


def _weights(xy: F64, center: F64) -> tuple[F64, F64]:
    """What one metre of height at a vertex adds to the volume [m²]: rings (J, R, S) and top apex (J,); z = 0 at the bottom."""
    x, y = xy[..., 0], xy[..., 1]
    xn, yn = _next(x), _next(y)
    # triangles of the band between ring r and r + 1: (low, high, high next) and (low, high next, low next), thirds of areas
    ax, ay = x[:, 1:] - x[:, :-1], y[:, 1:] - y[:, :-1]
    bx, by = xn[:, 1:] - x[:, :-1], yn[:, 1:] - y[:, :-1]
    cx, cy = xn[:, :-1] - x[:, :-1], yn[:, :-1] - y[:, :-1]
    first, second = (ax * by - ay * bx) / 6, (bx * cy - by * cx) / 6
    both = first + second
    weight = np.zeros(x.shape)
    weight[:, :-1] += both + _before(second)
    weight[:, 1:] += first + _before(both)
    fx, fy = x[:, 0] - center[:, :1], y[:, 0] - center[:, 1:]
    fan = (fx * _next(fy) - fy * _next(fx)) / 6
    weight[:, 0] += fan + _before(fan)
    return weight, fan.sum(axis=1)


def _next(values: F64) -> F64:
    """Each vertex's successor around its ring (last axis)."""
    return np.concatenate([values[..., 1:], values[..., :1]], axis=-1)


def _before(values: F64) -> F64:
    return np.concatenate([values[..., -1:], values[..., :-1]], axis=-1)


@dataclass(frozen=True, eq=False)
class Contact:
    """Where terminals touch their lands, (J, …), land frame [m]."""
    half_land: F64                             # (J, 2)
    center: F64                                # (J, 2) terminal's contact rectangle
    half: F64                                  # (J, 2)
    angle: F64                                 # (J,) of the rectangle against the land [rad]
    clearance: F64                             # (J,) solder thickness under the terminal
    height: F64                                # (J,) up to which solder may wet the terminal, above the clearance
    end: F64                                   # (J,) share of that height that it climbs outwards, …
    side: F64                                  # (J,) … at the sides, …
    inner: F64                                 # (J,) … and towards the body


def exponent(angle: F64) -> F64:
    """Fillet profile z ~ (1 − t)^p for a wetting angle [rad]: hollow (p > 1) below 90°, bulging above."""
    return np.interp(np.degrees(angle), [0, 20, 30, 45, 60, 90, 110, 130, 180], [2.8, 2.4, 2.1, 1.7, 1.4, 0.95, 0.75, 0.6, 0.45])


def fillets(contact: Contact, volume: F64, angle: F64, segments: int = 16) -> Bodies:
    """Solder between terminals and their lands: a thin layer under the terminal and a fillet all around it.

    Volume → height of the fillet at the terminal. Where that would exceed the wettable height the fillet fills up
    (a smaller exponent), and where even that is not enough it bulges over the terminal.
    """
    q = square(segments)
    edge = contact.half_land
    cos, sin = np.cos(contact.angle)[:, None], np.sin(contact.angle)[:, None]
    # little solder draws back from under the body: only the outer part of the layer stays; an exposed pad has no outer part
    layer = contact.clearance * 4 * contact.half[:, 0] * contact.half[:, 1]
    share = np.where(contact.end == contact.inner, 1.0, np.clip(0.5 * volume / np.maximum(layer, 1e-30), 0.1, 1.0))
    half_x = contact.half[:, 0] * share
    shift = contact.half[:, 0] - half_x
    px, py = q[:, 0] * half_x[:, None] + shift[:, None], q[:, 1] * contact.half[:, 1:2]
    inner = np.stack([contact.center[:, :1] + cos * px - sin * py, contact.center[:, 1:] + sin * px + cos * py], axis=-1)
    outline = _rounded(q, 0.12)
    drawn_in = np.abs(outline).max(axis=1) / np.abs(q).max(axis=1)         # of the corners: no fillet turns inside out there
    limit = 0.985 * edge[:, None] * drawn_in[:, None]
    inner = np.clip(inner, -limit, limit)
    outer = outline[None] * edge[:, None]
    away = outer - inner
    reach = np.sqrt(away[..., 0]**2 + away[..., 1]**2)

    x, y = q[:, 0], q[:, 1]
    weight = np.stack([np.maximum(x, 0)**4, y**4, np.maximum(-x, 0)**4])
    weight = weight / weight.sum(axis=0)
    climb = contact.end[:, None] * weight[0] + contact.side[:, None] * weight[1] + contact.inner[:, None] * weight[2]
    climb = climb * np.clip(reach / np.maximum(0.30 * contact.height[:, None], 20e-6), 0.02, 1.0)

    t = FILLET_T[None, :, None, None]
    xy = inner[:, None] + away[:, None] * t
    middle = inner.mean(axis=1)
    weights, apex = _weights(xy, middle)
    gap = contact.clearance
    under = gap * (weights[:, 0].sum(axis=1) + apex)
    flat = weights[:, 1:].sum(axis=2) * gap[:, None]                       # (J, R − 1): volume per unit of profile from the layer
    rise = np.einsum("jrs,js->jr", weights[:, 1:], climb)                  # … and per metre of fillet height
    fall = 1 - FILLET_T[1:]

    power = exponent(angle)
    free = volume - under
    profile = fall[None] ** power[:, None]
    height = (free - (flat * profile).sum(axis=1)) / np.maximum((rise * profile).sum(axis=1), 1e-30)
    full, thin = height > contact.height, height < 0
    if full.any() or thin.any():
        power = power.copy()
        power[full] = _fill(flat[full] + rise[full] * contact.height[full, None], fall, free[full], STEEP, power[full])
        # too little for a layer out to the land's edge: it stays at the terminal and thins out before
        power[thin] = _fill(flat[thin], fall, free[thin], power[thin], HOLLOW)
        profile = fall[None] ** power[:, None]
        height = (free - (flat * profile).sum(axis=1)) / np.maximum((rise * profile).sum(axis=1), 1e-30)
    height = np.clip(height, 0, OVERFLOW * contact.height + 0.15e-3)
    z = np.empty(xy.shape[:3])
    z[:, 0] = gap[:, None]
    z[:, 1:] = (gap[:, None] + height[:, None] * climb)[:, None] * profile[:, :, None]
    top = gap.copy()
    # too little for even the thin layer, or more than any fillet holds: everything scales, the layer under the part too
    made = (z * weights).sum(axis=(1, 2)) + top * apex
    factor = volume / np.maximum(made, 1e-30)
    z, top = z * factor[:, None, None], top * factor
    rings = np.concatenate([xy, z[..., None]], axis=-1)
    ground = np.zeros_like(middle[:, :1])
    tangent = np.empty_like(rings)
    tangent[..., :2] = away[:, None]
    left = np.maximum(1 - FILLET_T, 0.03)
    tangent[..., 2] = -(z[:, 1] * power[:, None])[:, None] * (left[None] ** (power[:, None] - 1))[:, :, None]
    return Bodies(rings, np.column_stack([middle, top]), np.column_stack([middle, ground]), tangent)


def _fill(base: F64, fall: F64, free: F64, least: F64 | float, most: F64 | float) -> F64:
    """Exponent with which a fillet holds the volume ``free``, by bisection. ``base`` (J, R − 1): what a full profile holds."""
    low, high = np.broadcast_to(least, free.shape).copy(), np.broadcast_to(most, free.shape).copy()
    log = np.log(np.maximum(fall, 1e-12))
    for _ in range(18):
        middle = (low + high) / 2
        more = (base * np.exp(middle[:, None] * log)).sum(axis=1) > free   # a smaller exponent holds more
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return low


def _rounded(q: F64, amount: float) -> F64:
    """Square outline with its corners drawn in by ``amount`` of the half size."""
    r = np.minimum(np.abs(q[:, 0]), np.abs(q[:, 1]))
    return q * (1 - amount * np.clip((r - 0.6) / 0.4, 0, 1)**2)[:, None]


def cap_height(radius: F64, volume: F64) -> F64:
    """Height of a spherical cap of base ``radius`` with this volume: V = π·h·(3a² + h²)/6, solved exactly [m]."""
    half = 3 * volume / (np.pi * np.maximum(radius, 1e-12)**3)
    result: F64 = radius * 2 * np.sinh(np.arcsinh(half) / 3)
    return result


def domes(half_land: F64, center: F64, round_: Bool, volume: F64, segments: int = 20) -> Bodies:
    """Solder that wets a land and nothing else: a spherical cap over the land's area, stretched to its outline.

    Args:
        half_land: (J, 2) half sizes of the wetted area [m].
        center: (J, 2) [m].
        round_: (J,) True for round or oval lands.
        volume: (J,) [m³].
    """
    box, disc = _rounded(square(segments), 0.16), circle(segments)
    box_area = 0.5 * abs(float((box[:, 0] * np.roll(box[:, 1], -1) - box[:, 1] * np.roll(box[:, 0], -1)).sum()))
    outline = np.where(round_[:, None, None], disc[None], box[None]) * half_land[:, None]
    rounder = (
        np.where(round_[:, None, None], disc[None], (box / np.linalg.norm(box, axis=1, keepdims=True))[None]) * half_land[:, None]
    )
    area = np.where(round_, np.pi, box_area) * half_land.prod(axis=1)
    base = np.sqrt(area / np.pi)
    angle = 2 * np.arctan(cap_height(base, volume) / base)
    polar = angle[:, None] * DOME_T
    sphere = base / np.sin(np.minimum(angle, np.pi - 1e-3))
    spread = np.sin(polar) / np.sin(angle)[:, None]
    z = sphere[:, None] * (np.cos(polar) - np.cos(angle)[:, None])
    # level lines turn from the land's outline into ellipses towards the top
    share = np.clip(DOME_T, 0, 1)[:, None, None]**3
    outline = outline[:, None] * share + rounder[:, None] * (1 - share)
    xy = center[:, None, None] + outline * spread[:, :, None, None]
    top = sphere * (1 - np.cos(angle))
    rings = np.concatenate([xy, np.broadcast_to(z[:, :, None, None], (*xy.shape[:3], 1))], axis=-1)
    tangent = np.concatenate([outline * (np.cos(polar) / np.sin(angle)[:, None])[:, :, None, None],
                              np.broadcast_to((-sphere[:, None] * np.sin(polar))[:, :, None, None], (*xy.shape[:3], 1))], axis=-1)
    bodies = Bodies(rings, np.column_stack([center, top]), np.column_stack([center, np.zeros(len(top))]), tangent)
    return _held(bodies, volume)


def beads(center: F64, volume: F64, angle: F64, segments: int = 20) -> Bodies:
    """Solder that wets nothing: sessile drops with a contact angle of their own [rad], round."""
    t = np.tan(np.minimum(angle, np.radians(160)) / 2)
    base = np.cbrt(6 * volume / (np.pi * t * (3 + t**2)))
    return domes(np.column_stack([base, base]), center, np.ones(len(base), bool), volume, segments)


def _held(bodies: Bodies, volume: F64) -> Bodies:
    """Outer rings raised so that the mesh holds exactly ``volume`` while the apex keeps its height; what is left scales all."""
    assert bodies.top is not None
    made = volumes(bodies)
    rings = bodies.rings.copy()
    rings[..., 2] *= 1 + DOME_T[None, :, None]**2
    gain = volumes(Bodies(rings, bodies.top, bodies.bottom)) - made
    share = np.clip((volume - made) / np.maximum(gain, 1e-30), -0.25, 0.25)
    rings[..., 2] = bodies.rings[..., 2] * (1 + share[:, None, None] * DOME_T[None, :, None]**2)
    top = bodies.top.copy()
    factor = volume / np.maximum(made + share * gain, 1e-30)
    rings[..., 2] *= factor[:, None, None]
    top[:, 2] *= factor
    return Bodies(rings, top, bodies.bottom, bodies.tangent)


def balls(center: F64, radius: F64, top_center: F64, top_radius: F64, height: F64, volume: F64, segments: int = 24) -> Bodies:
    """Collapsed balls between a land and a package's pad: barrels whose bulge holds the volume.

    With equal radii and the height of ``collapsed`` the barrel is the spherical segment to within 0.5 %.
    """
    polygon = circle(segments)
    line = radius[:, None] * (1 - BALL_T) + top_radius[:, None] * BALL_T
    # the bulge has the shape of the sphere through both rims, its amount is free
    mean = (radius + top_radius) / 2
    sphere = np.sqrt(mean**2 + height**2 / 4)
    arc = np.sqrt(np.maximum(sphere[:, None]**2 - (height[:, None] * (BALL_T - 0.5))**2, 0)) - mean[:, None]
    bulge = arc / np.maximum(sphere - mean, 1e-12)[:, None]
    step = -np.diff(BALL_T)[None] * height[:, None] * np.pi / 3
    a, b, p, r = line[:, :-1], line[:, 1:], bulge[:, :-1], bulge[:, 1:]
    c0 = (step * (a * a + a * b + b * b)).sum(axis=1)
    c1 = (step * (2 * a * p + a * r + b * p + 2 * b * r)).sum(axis=1)
    c2 = (step * (p * p + p * r + r * r)).sum(axis=1)
    sagitta = (-c1 + np.sqrt(np.maximum(c1**2 - 4 * c2 * (c0 - volume), 0))) / (2 * np.maximum(c2, 1e-30))
    ring_radius = np.maximum(line + sagitta[:, None] * bulge, 0.05 * line)
    middle = center[:, None] * (1 - BALL_T)[None, :, None] + top_center[:, None] * BALL_T[None, :, None]
    xy = middle[:, :, None] + polygon[None, None] * ring_radius[:, :, None, None]
    z = np.broadcast_to((height[:, None] * BALL_T)[:, :, None, None], (*xy.shape[:3], 1))
    bodies = Bodies(
        np.concatenate([xy, z], axis=-1), np.column_stack([top_center, height]), np.column_stack([center, np.zeros(len(height))])
    )
    # bands between aligned polygons are exact, sheared or not; only where the waist was clipped the radii take up the rest
    thin = np.flatnonzero((line + sagitta[:, None] * bulge < 0.05 * line).any(axis=1))
    if len(thin):
        assert bodies.top is not None and bodies.bottom is not None
        made = volumes(Bodies(bodies.rings[thin], bodies.top[thin], bodies.bottom[thin]))
        factor = np.sqrt(volume[thin] / np.maximum(made, 1e-30))[:, None, None, None]
        bodies.rings[thin, ..., :2] = middle[thin, :, None] + (bodies.rings[thin, ..., :2] - middle[thin, :, None]) * factor
    return bodies


def hanging(top_center: F64, low: F64, high: F64, volume: F64, segments: int = 24) -> Bodies:
    """Balls that stay on the package's side (head-in-pillow): from height ``low`` up to ``high``, rounded below [m]."""
    polar = np.radians([128, 110, 92, 70, 48, 28, 12])[None]               # from the top ring down to the pole
    start = np.cos(np.radians(128))
    z = high[:, None] - (high - low)[:, None] * (np.cos(polar) - start) / (1 - start)
    radius = np.sin(polar) * ((high - low) / (1 - start))[:, None]
    polygon = circle(segments)
    xy = top_center[:, None, None] + polygon[None, None] * radius[:, :, None, None]
    rings = np.concatenate([xy, np.broadcast_to(z[:, :, None, None], (*xy.shape[:3], 1))], axis=-1)
    bodies = Bodies(rings, np.column_stack([top_center, high]), np.column_stack([top_center, low]))
    factor = np.sqrt(volume / np.maximum(volumes(bodies), 1e-30))
    rings[..., :2] = top_center[:, None, None] + (rings[..., :2] - top_center[:, None, None]) * factor[:, None, None, None]
    return Bodies(rings, bodies.top, bodies.bottom)


def barrels(center: F64, pin: F64, hole: F64, half_land: F64, thickness: F64, volume: F64, segments: int = 20) -> Bodies:
    """Through-hole joints: a filled barrel around a pin and a hollow cone on each side; a closed ring around the pin.

    ``center`` (J, 2) of the pin and the hole, ``pin`` and ``hole`` radii (J,), ``half_land`` (J, 2), ``thickness`` of the
    board (J,). Solder that does not fill the barrel stays at its top.
    """
    polygon = circle(segments)
    pin = np.minimum(pin, 0.97 * hole)
    barrel = np.pi * (hole**2 - pin**2) * thickness
    fill = np.clip(volume / np.maximum(barrel, 1e-30), 0, 1)
    share = np.array([1.0, 0.42, 0.12, 0.0])                               # cone heights at these radii, share of the way out
    out = np.array([0.0, 0.2, 0.55, 1.0])
    count = len(pin)
    one = np.ones((count, 1))
    ring_r = np.concatenate([one * out, one * -1, one * -1, one * out[::-1]], axis=1)
    ring_z = np.concatenate([one * share, one * 0, one * 0, one * share[::-1]], axis=1)
    xy = np.empty((count, ring_r.shape[1], segments, 2))
    for k in range(ring_r.shape[1]):
        if ring_r[0, k] < 0:
            xy[:, k] = polygon * hole[:, None, None]
        else:
            w = ring_r[0, k]
            xy[:, k] = polygon * (pin[:, None, None] * (1 - w) + half_land[:, None] * w)
    upper = np.arange(ring_r.shape[1]) < 5
    flat = np.where(upper, 0.0, -1.0)[None] * (thickness * fill)[:, None]
    sign = np.where(upper, 1.0, -1.0)

    def made(height: F64) -> Bodies:
        z = flat + sign * ring_z * height[:, None]
        rings = np.concatenate([xy + center[:, None, None], np.broadcast_to(z[:, :, None, None], (*xy.shape[:3], 1))], axis=-1)
        return Bodies(rings, None, None)
    none, unit = volumes(made(np.zeros(count))), volumes(made(np.full(count, 1e-3)))
    height = np.maximum((volume - none) / np.maximum((unit - none) / 1e-3, 1e-30), 0)
    return made(height)


def spheres(center: F64, radius: F64, segments: int = 20) -> Bodies:
    """Whole balls; ``center`` (B, 3)."""
    polar = np.radians([15, 36, 57, 78, 102, 123, 144, 165])
    ring = np.stack([np.outer(np.sin(polar), circle(segments)[:, 0]), np.outer(np.sin(polar), circle(segments)[:, 1]),
                     np.repeat(np.cos(polar)[:, None], segments, axis=1)], axis=-1)
    rings = center[:, None, None] + ring[None] * radius[:, None, None, None]
    up = np.zeros_like(center)
    up[:, 2] = radius
    bodies = Bodies(rings, center + up, center - up)
    factor = np.cbrt(4 / 3 * np.pi * radius**3 / np.maximum(volumes(bodies), 1e-30))
    rings = center[:, None, None] + ring[None] * (radius * factor)[:, None, None, None]
    return Bodies(rings, center + up * factor[:, None], center - up * factor[:, None])


def necks(start: F64, end: F64, width: F64, height: F64, segments: int = 14) -> Bodies:
    """Solder bridges: saddles from ``start`` to ``end`` (B, 2), narrowest in the middle, flat below."""
    t = np.array([0.0, 0.12, 0.3, 0.5, 0.7, 0.88, 1.0])
    waist = 1 + 0.9 * (2 * t - 1)**2                                       # ends spread into their joints
    crest = 1 + 0.5 * (2 * t - 1)**2
    close = np.array([0.55, 0.92, 1, 1, 1, 0.92, 0.55])
    axis = end - start
    length = np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    along = axis / length
    across = np.column_stack([-along[:, 1], along[:, 0]])
    a = np.pi * np.arange(segments - 1) / (segments - 2)                   # arch from one foot over the crest to the other
    y = np.concatenate([-np.cos(a), [0.0]])
    z = np.concatenate([np.sin(a) ** 0.8, [0.0]])
    middle = start[:, None] + axis[:, None] * t[None, :, None]
    half = width[:, None] / 2 * (waist * close)[None]
    xy = middle[:, :, None] + across[:, None, None] * (half[:, :, None] * y)[..., None]
    tall = height[:, None] * (crest * close)[None]
    rings = np.concatenate([xy, (tall[:, :, None] * z)[..., None]], axis=-1)
    first = np.column_stack([start, 0.4 * tall[:, 0]])
    last = np.column_stack([end, 0.4 * tall[:, -1]])
    return Bodies(rings, first, last)


__all__ = [
    "Bodies",
    "Contact",
    "balls",
    "barrels",
    "beads",
    "cap_height",
    "circle",
    "domes",
    "exponent",
    "faces",
    "fillets",
    "hanging",
    "necks",
    "normals",
    "spheres",
    "square",
    "vertices",
    "volumes",
]
