"""A small board of our own for the renderers' tests: artwork, chips, balls, a film, marks."""
from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely
import trimesh

from scenes import materials
from scenes.geometry import Coverage, Decal, Geometry, Instances, Mesh, PartKind, Slab, Soup, merge


def from_trimesh(name, body, material, part, marking=None) -> Mesh:
    """Flat-shaded: vertices are split per face."""
    corners = body.vertices[body.faces].reshape(-1, 3)
    count = len(corners)
    return Mesh(name, corners.astype(np.float32), np.repeat(body.face_normals, 3, axis=0).astype(np.float32),
                np.arange(count, dtype=np.uint32).reshape(-1, 3), np.full(count, materials.index(material), np.uint8),
                np.full(count, int(part), np.uint8), marking)


def join(name, *meshes, marking=None) -> Mesh:
    start = np.cumsum([0, *[len(m.vertices) for m in meshes[:-1]]])
    return Mesh(name, *(np.concatenate([getattr(m, f) for m in meshes]) for f in ("vertices", "normals")),
                np.concatenate([m.faces + np.uint32(s) for m, s in zip(meshes, start, strict=True)]),
                *(np.concatenate([getattr(m, f) for m in meshes]) for f in ("material", "part")), marking)


def box(x, y, z, size):
    return trimesh.creation.box(size, trimesh.transformations.translation_matrix((x, y, z + size[2] / 2)))


@lru_cache(maxsize=32)
def chip(length=1.0e-3, width=0.5e-3, height=0.4e-3, material="resistor_glass") -> Mesh:
    """A chip with two metal ends and a mark."""
    end = length / 4
    body = from_trimesh("b", box(0, 0, 0.02e-3, (length - 2 * end, width * 0.98, height * 0.96)), material, PartKind.BODY)
    ends = [from_trimesh("e", box(s * (length - end) / 2, 0, 0, (end, width, height)), "tin", PartKind.LEAD) for s in (-1, 1)]
    return join("chip", body, *ends, marking=(-length / 4, -width / 2.5, length / 4, width / 2.5))


def slab(size=20e-3, texel=20e-6, thickness=1.6e-3) -> Slab:
    """A square board: copper stripes and pours, pads open in the mask, silkscreen, four holes."""
    n = round(size / texel)
    y, x = (size - (np.mgrid[:n, :n] + 0.5) * texel)[0], ((np.mgrid[:n, :n] + 0.5) * texel)[1]
    copper = ((x % 1e-3) < 0.25e-3) | (x > 0.7 * size)
    cx, cy = (x % 2e-3) - 1e-3, (y % 2e-3) - 1e-3
    pad = (np.abs(np.abs(cx) - 0.5e-3) < 0.3e-3) & (np.abs(cy) < 0.3e-3)
    silk = (np.abs(np.abs(cy) - 0.5e-3) < 0.06e-3) & (np.abs(cx) < 0.8e-3)
    hole = np.zeros_like(pad)
    for hx in (1.0, 19.0):
        for hy in (2.0, 18.0):
            hole |= np.hypot(x - hx * 1e-3, y - hy * 1e-3) < 0.5e-3
    texels = np.stack([copper | pad, pad, silk, ~hole], axis=-1).astype(np.uint8) * 255
    mesh = from_trimesh("slab", box(size / 2, size / 2, -thickness, (size, size, thickness)), "fr4", PartKind.BOARD)
    return Slab(mesh, Coverage(texels, (0.0, 0.0), texel), thickness)


def ball(center, radius, instance, part=PartKind.BALL, roughness=0.16, subdivisions=3) -> Soup:
    body = trimesh.creation.icosphere(subdivisions, radius)
    count = len(body.vertices)
    return Soup((body.vertices + center).astype(np.float32), (body.vertices / radius).astype(np.float32),
                body.faces.astype(np.uint32), np.full(count, materials.index("solder_sac305"), np.uint8),
                np.full(count, int(part), np.uint8), np.full(count, instance, np.uint32), np.full(count, roughness, np.float32))


def pose(x, y, z=0.0, angle=0.0):
    out = np.eye(4)
    c, s = np.cos(angle), np.sin(angle)
    out[:2, :2], out[:3, 3] = ((c, -s), (s, c)), (x, y, z)
    return out


def board(count=10, seed=1) -> Geometry:
    """count × count chips on a grid of 2 mm, balls between them, a residue and a scratch."""
    rng = np.random.default_rng(seed)
    where = [(1e-3 + 2e-3 * i, 1e-3 + 2e-3 * j) for j in range(count) for i in range(count)]
    poses = np.array([pose(x, y, 0, rng.normal(0, 0.05)) for x, y in where])
    marks = tuple((rng.random((12, 20)) < 0.4).astype(np.uint8) * 255 for _ in range(3))
    half = len(poses) // 2
    groups = tuple(Instances(mesh, poses[part], np.arange(2, 2 + len(poses), dtype=np.uint32)[part],
                             np.ones((len(poses[part]), 3), np.float32), rng.integers(-1, 3, len(poses[part])).astype(np.int32))
                   for mesh, part in ((chip(), np.s_[:half]), (chip(material="ceramic_mlcc"), np.s_[half:])))
    first = 2 + len(poses)
    soup = merge([ball((x + 1e-3, y + 0.2e-3, 0.15e-3), 0.15e-3, first + i) for i, (x, y) in enumerate(where[::7])])
    last = first + len(where[::7])
    films = (Decal(shapely.Point(4e-3, 4e-3).buffer(0.8e-3), last, PartKind.RESIDUE, (0.5, 0.35, 0.1), 0.6, 0.2, edge=0.2e-3),
             Decal(shapely.LineString([(6e-3, 6e-3), (9e-3, 7e-3)]).buffer(0.05e-3), last + 1, PartKind.SCRATCH,
                   (0.6, 0.6, 0.5), 0.7, 0.3, direction=0.32, edge=0.02e-3))
    return Geometry(slab(), groups, soup, films, marks)
