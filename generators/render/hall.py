"""A picture of machines in a hall: ray casting with soft shadows, ambient occlusion, reflections and glass.

Not a renderer of samples: it knows no labels and no instruments. It shows a line to people. Rays are cast by Embree
(``embreex``); where a surface stops and another begins, a pixel is sampled again. Frame: the line's [m], z up.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.equipment import LOOKS, Look, Placed
from scenes.errors import BackendUnavailable

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

BLOCK = 1 << 18                                # rays at once: what fits into the caches with its temporaries
KEY = (-0.38, -0.62, 0.69)                     # direction to the soft key light
KEY_RADIANCE = 0.95
KEY_SPREAD = 0.13                              # [rad] half angle of the key light
AROUND = 0.72                                  # [1] weight of the light from around against the key's
OCCLUSION = 0.9                                # [m] reach of ambient occlusion: inside a housing it stays light enough to see
SKY, HORIZON, FLOOR_BOUNCE = (0.94, 0.97, 1.0), (0.60, 0.62, 0.65), (0.20, 0.20, 0.21)
BACKDROP = (0.47, 0.50, 0.54)                  # linear; what the floor fades into
MIRROR = 0.16                                  # [1] of a pane at most: what is behind it is what the picture is for
EXTRA = ((-0.28, -0.30), (0.35, -0.10), (-0.05, 0.35))    # [px] of the further samples of a pixel on an edge


@dataclass(frozen=True)
class Eye:
    """A perspective camera by where it stands and where it looks."""
    position: tuple[float, float, float]       # [m]
    target: tuple[float, float, float]         # [m]
    focal: float                               # [1] distance to an image plane of width 1
    width: int                                 # [px]
    height: int                                # [px]

    def basis(self) -> NDArray[np.float64]:
        """Rows: right, up, forward."""
        forward = np.subtract(self.target, self.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])

    def rays(self, x: F32, y: F32) -> F32:
        """Unit directions (N, 3) through pixel coordinates, (0, 0) the outer corner of the first pixel."""
        right, up, forward = self.basis().astype(np.float32)
        u = (x / self.width - 0.5)[:, None]
        v = ((0.5 * self.height - y) / self.width)[:, None]
        d = right * u + up * v + forward * np.float32(self.focal)
        return np.asarray(d / np.linalg.norm(d, axis=1, keepdims=True), np.float32)

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (N, 3) [m] → pixel coordinates (N, 2)."""
        local = (np.asarray(points, float) - self.position) @ self.basis().T
        scale = self.focal * self.width / local[:, 2]
        return np.column_stack([self.width / 2 + local[:, 0] * scale, self.height / 2 - local[:, 1] * scale])


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Triangles to look at. ``look`` indexes ``table``."""
    corners: F32                               # (F, 3, 3) [m]
    normals: F32                               # (F, 3, 3)
    look: I32                                  # (F,)
    table: tuple[Look, ...]


def surfaces(placed: Sequence[Placed], extra: Sequence[tuple[Look, F32, F32, NDArray[np.uint32]]] = ()) -> Surfaces:
    """All machines in the line frame, and further meshes (look, points, normals, faces) that are there already."""
    table = list(LOOKS.values())
    index = {name: k for k, name in enumerate(LOOKS)}
    corners, normals, look = [], [], []
    for item in placed:
        turn, move = item.pose[:3, :3], item.pose[:3, 3]
        for body in item.machine.bodies:
            for shape in body.shapes:
                points = (shape.points + np.asarray(body.origin)) @ turn.T + move
                corners.append(points.astype(np.float32)[shape.faces])
                normals.append((shape.normals @ turn.T).astype(np.float32)[shape.faces])
                look.append(np.full(len(shape.faces), index[shape.look], np.int32))
    for surface, points, normal, faces in extra:
        corners.append(points.astype(np.float32)[faces])
        normals.append(normal.astype(np.float32)[faces])
        look.append(np.full(len(faces), len(table), np.int32))
        table.append(surface)
    return Surfaces(np.concatenate(corners), np.concatenate(normals), np.concatenate(look), tuple(table))


class Hall:
    """Machines on a floor, ready to be looked at from any side."""

    def __init__(self, shown: Surfaces) -> None:
        """Raises BackendUnavailable without embreex."""
        try:
            from embreex import rtcore_scene
            from embreex.mesh_construction import TriangleMesh
        except ImportError:
            raise BackendUnavailable("picture of the line: needs embreex; install the extra: "
                                     "pip install 'linetwin[preview]'") from None
        floor = _floor(shown.corners)
        self._corners = np.concatenate([shown.corners, floor])
        up = np.broadcast_to(np.array([0, 0, 1], np.float32), floor.shape)
        self._normals = np.concatenate([shown.normals, up])
        self._look = np.concatenate([shown.look, np.full(2, len(shown.table), np.int32)])
        table = (*shown.table, Look("floor", (0.23, 0.245, 0.26), 0.0, 0.30))
        self._color = np.array([t.base_color for t in table], np.float32)
        self._emission = np.array([t.emission for t in table], np.float32)
        self._metallic = np.array([t.metallic for t in table], np.float32)
        self._rough = np.array([t.roughness for t in table], np.float32)
        self._opacity = np.array([t.opacity for t in table], np.float32)
        self._middle = shown.corners.reshape(-1, 3).mean(axis=0)
        clear = self._opacity[self._look] >= 1

        def tree(corners: F32) -> Any:
            scene = rtcore_scene.EmbreeScene(robust=True)
            TriangleMesh(scene, np.ascontiguousarray(corners))
            return scene

        self._all, self._solid = tree(self._corners), tree(self._corners[clear])
        self._solid_look = self._look[clear]

    def picture(self, eye: Eye) -> NDArray[np.uint8]:
        """sRGB, (H, W, 3). Equal arguments give equal pixels."""
        h, w = eye.height, eye.width
        ys, xs = np.divmod(np.arange(h * w, dtype=np.int64), w)
        color, tag, depth = self._sample(eye, xs + 0.5, ys + 0.5, 0)
        linear = color.reshape(h, w, 3)
        linear = _calm(linear, tag.reshape(h, w), depth.reshape(h, w))
        shown = _encode(linear)
        edge = np.flatnonzero(_edges(tag.reshape(h, w), depth.reshape(h, w), shown).ravel())
        if len(edge):
            total = shown.reshape(-1, 3)[edge]
            for k, (dx, dy) in enumerate(EXTRA):
                more, _, _ = self._sample(eye, xs[edge] + 0.5 + dx, ys[edge] + 0.5 + dy, k + 1)
                total = total + _encode(more)
            shown.reshape(-1, 3)[edge] = total / (1 + len(EXTRA))
        return np.asarray(np.clip(shown * 255 + 0.5, 0, 255), np.uint8)

    def _sample(self, eye: Eye, x: Any, y: Any, turn: int) -> tuple[F32, I32, F32]:
        """Linear colour, what was hit (look and facing as a number) and how far, for each pixel position."""
        out, tags, depths = [], [], []
        for part in _blocks(len(x)):
            px, py = x[part].astype(np.float32), y[part].astype(np.float32)
            direction = eye.rays(px, py)
            origin = np.broadcast_to(np.asarray(eye.position, np.float32), direction.shape).copy()
            color, tag, depth = self._trace(origin, direction, _dither(px, py, turn))
            out.append(color)
            tags.append(tag)
            depths.append(depth)
        return np.concatenate(out), np.concatenate(tags), np.concatenate(depths)

    def _trace(self, origin: F32, direction: F32, noise: F32) -> tuple[F32, I32, F32]:
        count = len(origin)
        color = np.zeros((count, 3), np.float32)
        through = np.ones((count, 3), np.float32)
        tag = np.full(count, -1, np.int32)
        depth = np.full(count, np.inf, np.float32)
        alive = np.arange(count)
        start = origin
        for _ in range(6):                     # panes one behind the other
            hit = self._all.run(start[alive], direction[alive], query="INTERSECT", output=True)
            face = hit["primID"]
            missed = face < 0
            color[alive[missed]] += through[alive[missed]] * np.asarray(BACKDROP, np.float32)
            alive, face = alive[~missed], face[~missed]
            if not len(alive):
                break
            u, v, t = (hit[k][~missed] for k in ("u", "v", "tfar"))
            ray = direction[alive]
            point = start[alive] + ray * t[:, None]
            normal = self._normal(face, u, v, ray)
            look = self._look[face]
            facing = np.round(normal * 1.5 + 1.5)
            tag[alive] = tag[alive] * 131 + look * 64 + (facing @ np.array([16, 4, 1], np.float32)).astype(np.int32)
            depth[alive] = np.linalg.norm(point - origin[alive], axis=1)
            glass = self._opacity[look] < 1
            solid = ~glass
            faded = self._faded(look, point)
            lost = solid & (faded >= 1)
            color[alive[lost]] += through[alive[lost]] * np.asarray(BACKDROP, np.float32)
            solid &= ~lost
            if solid.any():
                s, share = alive[solid], faded[solid, None]
                shade = self._shade(point[solid], normal[solid], ray[solid], look[solid], noise[s])
                color[s] += through[s] * (shade * (1 - share) + np.asarray(BACKDROP, np.float32) * share)
            g = alive[glass]
            if not len(g):
                break
            cosine = np.abs(np.einsum("ij,ij->i", ray[glass], normal[glass]))[:, None]
            fresnel = np.minimum(0.04 + 0.96 * (1 - cosine) ** 5, MIRROR)
            mirrored = ray[glass] - 2 * np.einsum("ij,ij->i", ray[glass], normal[glass])[:, None] * normal[glass]
            opacity = self._opacity[look[glass]][:, None]
            tint = self._color[look[glass]]
            color[g] += through[g] * (fresnel * _environment(mirrored) + 0.25 * opacity * tint)
            through[g] *= (1 - fresnel) * (1 - opacity + 0.75 * opacity * tint)
            start = start.copy()
            start[g] = point[glass] + ray[glass] * 1e-4
            alive = g
        return color, tag, depth

    def _normal(self, face: I32, u: F32, v: F32, ray: F32) -> F32:
        n = self._normals[face]
        normal = n[:, 0] * (1 - u - v)[:, None] + n[:, 1] * u[:, None] + n[:, 2] * v[:, None]
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        away = np.einsum("ij,ij->i", normal, ray) > 0
        normal[away] *= -1
        return normal

    def _shade(self, point: F32, normal: F32, ray: F32, look: I32, noise: F32) -> F32:
        """Light from a soft key, from around where nothing is near, and from what a surface mirrors."""
        lifted = point + normal * np.float32(2e-4)
        color, metallic, rough = self._color[look], self._metallic[look][:, None], self._rough[look]
        key = np.asarray(KEY, np.float32) / np.linalg.norm(KEY).astype(np.float32)
        a = 2 * np.pi * noise[:, 0]
        spread = np.float32(KEY_SPREAD) * np.sqrt(noise[:, 1])
        side, over = _frame(np.broadcast_to(key, point.shape))
        towards = key + side * (np.cos(a) * spread)[:, None] + over * (np.sin(a) * spread)[:, None]
        facing = np.maximum(normal @ key, 0)
        lit = np.zeros(len(point), np.float32)
        ask = np.flatnonzero(facing > 0)
        if len(ask):
            lit[ask] = self._solid.run(lifted[ask], towards[ask].astype(np.float32), query="OCCLUDED") != 0
        light = (KEY_RADIANCE * facing * lit)[:, None].astype(np.float32)
        light = light + self._around(lifted, normal, noise)
        mirrored = ray - 2 * np.einsum("ij,ij->i", ray, normal)[:, None] * normal
        fresnel = 0.04 + (np.maximum(1 - rough, 0.04) - 0.04) * (1 - np.clip(-np.einsum("ij,ij->i", ray, normal), 0, 1)) ** 5
        strength = metallic * color + (1 - metallic) * fresnel[:, None]
        shine = self._mirror(lifted, normal, mirrored, rough, noise, strength)
        return np.asarray(color * (1 - metallic) * light + strength * shine + self._emission[look], np.float32)

    def _around(self, point: F32, normal: F32, noise: F32, rays: int = 2) -> F32:
        side, over = _frame(normal)
        total = np.zeros_like(point)
        distance = np.full(len(point), OCCLUSION, np.float32)
        for k in range(rays):                  # cosine-weighted, one per sector
            a = 2 * np.pi * (noise[:, 2] + k / rays)
            r = np.sqrt(0.02 + 0.96 * np.mod(noise[:, 3] + 0.618 * k, 1))
            d = side * (np.cos(a) * r)[:, None] + over * (np.sin(a) * r)[:, None] + normal * np.sqrt(1 - r * r)[:, None]
            d = d.astype(np.float32)
            free = self._solid.run(point, d, distance, query="OCCLUDED") != 0
            up = (0.5 + 0.5 * d[:, 2])[:, None]
            sky = np.asarray(FLOOR_BOUNCE, np.float32) * (1 - up) + np.asarray(SKY, np.float32) * up
            total += np.where(free[:, None], sky, 0.30 * sky)
        return np.asarray(AROUND * total / rays, np.float32)

    def _mirror(self, point: F32, normal: F32, mirrored: F32, rough: F32, noise: F32, strength: F32) -> F32:
        side, over = _frame(mirrored)
        a = 2 * np.pi * noise[:, 3]
        width = (rough * rough * np.sqrt(noise[:, 0]))[:, None]
        d = mirrored + width * (side * np.cos(a)[:, None] + over * np.sin(a)[:, None])
        below = np.einsum("ij,ij->i", d, normal) < 0.01
        d[below] += 1.05 * normal[below] * (0.02 - np.einsum("ij,ij->i", d[below], normal[below]))[:, None]
        d /= np.linalg.norm(d, axis=1, keepdims=True)
        d = d.astype(np.float32)
        seen = _environment(d)
        ask = np.flatnonzero(strength.max(axis=1) > 0.06)     # elsewhere the mirror image is too weak to be missed
        if len(ask):
            face = self._solid.run(point[ask], d[ask], query="INTERSECT")
            hit = face >= 0
            look = self._solid_look[face[hit]]
            seen[ask[hit]] = 0.62 * self._color[look] + self._emission[look]
        return seen

    def _faded(self, look: I32, point: F32) -> F32:
        """Share of the backdrop in what is seen: the floor loses itself in it, so that no horizon cuts the picture."""
        reach = np.abs(point[:, 1] - self._middle[1])
        share = np.clip((reach - 1.6) / 4.5, 0, 1) ** 0.8
        return np.asarray(np.where(look == len(self._color) - 1, share, 0), np.float32)


def _floor(corners: F32) -> F32:
    points = corners.reshape(-1, 3)
    (x0, y0, _), (x1, y1, _) = points.min(axis=0) - 60, points.max(axis=0) + 60
    a, b, c, d = (x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0)
    return np.array([[a, b, c], [a, c, d]], np.float32)


def _environment(d: F32) -> F32:
    """A light ceiling with rows of lamps along the line over a bright wall; linear radiance."""
    up = np.clip(d[:, 2], 0, 1)[:, None] ** 0.7
    out = np.asarray(HORIZON, np.float32) * (1 - up) * 0.75 + np.asarray(SKY, np.float32) * up * 0.85
    down = np.clip(-d[:, 2], 0, 1)[:, None]
    out = out * (1 - down) + np.asarray(FLOOR_BOUNCE, np.float32) * down
    across = d[:, 1] / np.maximum(d[:, 2], 1e-3)
    lamp = (d[:, 2] > 0.12) & (np.abs(np.mod(across + 0.45, 1.5) - 0.75) < 0.16)
    out[lamp] += 1.1
    return np.asarray(out, np.float32)


def _frame(n: F32) -> tuple[F32, F32]:
    """Two unit vectors across each of ``n`` (Duff et al. 2017)."""
    sign = np.where(n[:, 2] >= 0, np.float32(1), np.float32(-1))
    a = -1 / (sign + n[:, 2])
    b = n[:, 0] * n[:, 1] * a
    return (np.column_stack([1 + sign * n[:, 0] ** 2 * a, sign * b, -sign * n[:, 0]]),
            np.column_stack([b, sign + n[:, 1] ** 2 * a, -n[:, 1]]))


def _dither(x: F32, y: F32, turn: int) -> F32:
    """Four numbers in [0, 1) per pixel: sixteen points of the R4 sequence (Roberts 2018), one per place of a 4 × 4 tile.

    ``_calm`` averages over such tiles, so that what sixteen times as many rays would show is seen without grain.
    """
    i, j = np.floor(x).astype(np.int64) & 3, np.floor(y).astype(np.int64) & 3
    number = _ORDER[j, i] + 16 * turn
    return np.asarray(np.mod(0.5 + (number[:, None] + 1) * _R4, 1), np.float32)


_R4 = 1.1673039782614187 ** -np.arange(1.0, 5.0)           # powers of the root of x⁵ = x + 1
_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])    # Bayer's


def _blocks(count: int) -> Iterator[slice]:
    for first in range(0, count, BLOCK):
        yield slice(first, min(first + BLOCK, count))


def _calm(linear: F32, tag: I32, depth: F32) -> F32:
    """The grain of few rays averaged away over the 4 × 4 pixels around, as far as they show one surface that faces alike."""
    total, weight = linear.copy(), np.ones(tag.shape, np.float32)
    h, w = tag.shape
    for dy in range(-2, 2):
        for dx in range(-2, 2):
            if (dx, dy) == (0, 0):
                continue
            here = slice(max(0, -dy), h - max(0, dy)), slice(max(0, -dx), w - max(0, dx))
            there = slice(max(0, dy), h + min(0, dy)), slice(max(0, dx), w + min(0, dx))
            with np.errstate(invalid="ignore"):
                same = (tag[here] == tag[there]) & (np.abs(depth[here] - depth[there]) < 0.01 * depth[here])
            total[here] += same[..., None] * linear[there]
            weight[here] += same
    return np.asarray(total / weight[..., None], np.float32)


def _edges(tag: I32, depth: F32, shown: F32) -> NDArray[np.bool_]:
    """Pixels whose neighbour is another surface, another facing, or much brighter."""
    out = np.zeros(tag.shape, bool)
    for axis in (0, 1):
        a: Any = [slice(None)] * 2
        b: Any = [slice(None)] * 2
        a[axis], b[axis] = slice(None, -1), slice(1, None)
        ta, tb = tuple(a), tuple(b)
        differs = (tag[ta] != tag[tb]) | (np.abs(shown[ta] - shown[tb]).max(axis=-1) > 0.10)
        with np.errstate(invalid="ignore"):
            differs |= np.abs(depth[ta] - depth[tb]) > 0.02 * np.minimum(depth[ta], depth[tb])
        out[ta] |= differs
        out[tb] |= differs
    return out


def _encode(linear: F32) -> F32:
    """Filmic shoulder, then sRGB."""
    x = np.maximum(linear, 0) * np.float32(0.80)
    c = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)     # Narkowicz 2015, ACES approximation
    return np.asarray(np.where(c <= 0.0031308, 12.92 * c, 1.055 * np.maximum(c, 1e-9) ** (1 / 2.4) - 0.055), np.float32)


__all__ = ["Eye", "Hall", "Surfaces", "surfaces"]
