"""STEP bodies: the model that a board names, in place of a parametric body. Terminals still come from the pads.

A model is used only where it can be drawn and X-rayed: few enough triangles, and every body of it closed (an open one is
replaced by its convex hull). Placement follows KiCad: scale, then rotations about x, y, z by the negative angles, then offset.
"""
from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import AssetError
from scenes.geometry import Mesh, PartKind
from scenes.materials import TABLE
from scenes.parts.model import Package
from scenes.parts.solids import Solid, finish

F64 = NDArray[np.float64]

MAX_FACES = 12_000  # more would cost more than it shows at an AOI camera's pixel
OPEN_SHARE = 0.3  # [1] of the area that may lie on open bodies
_PALETTE = (
    "plastic_black",
    "plastic_white",
    "plastic_beige",
    "shield",
    "brass_gold",
    "tin",
    "pcb_module",
    "copper_wire",
    "aluminium",
)


def placement(dims: dict[str, float]) -> F64:
    """Model frame → package frame (4, 4), from the numbers that ``describe`` keeps in ``Package.dims``."""
    def turn(axis: int, angle: float) -> F64:
        c, s = np.cos(-angle), np.sin(-angle)
        i, j = [(1, 2), (2, 0), (0, 1)][axis]
        out = np.eye(4)
        out[i, i], out[i, j], out[j, i], out[j, j] = c, -s, s, c
        return out
    pose = np.diag([dims["msx"], dims["msy"], dims["msz"], 1.0])
    for axis, name in enumerate(("mrx", "mry", "mrz")):
        pose = turn(axis, dims[name]) @ pose
    pose[:3, 3] = dims["mox"], dims["moy"], dims["moz"]
    return pose


@lru_cache(maxsize=64)
def _solids(path: str) -> tuple[tuple[F64, NDArray[np.int64], str], ...]:
    """Closed bodies of a STEP file in its own frame: vertices [m], faces, material. Empty where it is not fit for use."""
    from scenes.cad import load_mesh

    mesh = load_mesh(path, [Path(path).parent])
    if len(mesh.faces) > MAX_FACES:
        return ()
    shown: Any = mesh.visual
    colors = np.asarray(shown.face_colors, float)[:, :3] / 255 if hasattr(shown, "face_colors") else None
    import trimesh

    points, faces = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False), mesh.faces
    points.merge_vertices(merge_tex=True, merge_norm=True, digits_vertex=7)
    faces = points.faces
    labels = trimesh.graph.connected_component_labels(points.face_adjacency, node_count=len(faces))
    out, open_area, area = [], 0.0, 0.0
    for label in range(int(labels.max()) + 1):
        pick = labels == label
        body = trimesh.Trimesh(points.vertices, faces[pick], process=True)
        area += float(body.area)
        if not body.is_watertight or body.volume <= 0:
            open_area += float(body.area)
            if np.linalg.matrix_rank(body.vertices - body.vertices[0], tol=1e-7) < 3:
                continue                                                   # a flat scrap has no hull
            body = body.convex_hull
        tint = colors[pick].mean(axis=0) if colors is not None else np.full(3, 0.2)
        out.append((np.asarray(body.vertices, float), np.asarray(body.faces, np.int64), _material(tint)))
    return tuple(out) if open_area <= OPEN_SHARE * area else ()


def _material(color: F64) -> str:
    """The nearest material of a small palette, in linear RGB as glTF stores it."""
    table = {m.name: np.array(m.base_color) for m in TABLE}
    value = np.asarray(color)
    return min(_PALETTE, key=lambda n: float(((np.sqrt(table[n]) - np.sqrt(value))**2).sum()))


def usable(package: Package) -> bool:
    """Whether the package's model can stand in for its body: fit for drawing, and lying over the pads.

    Raises:
        AssetError: the file is there and does not parse.
    """
    bodies = _solids(package.model)
    if not bodies:
        return False
    pose = placement(package.dims)
    points = np.concatenate([v for v, _, _ in bodies]) @ pose[:3, :3].T + pose[:3, 3]
    low, high = points.min(axis=0), points.max(axis=0)
    pads = np.array([t.center for t in package.terminals]).reshape(-1, 2)
    over = bool(len(pads)) and bool(((pads > low[:2] - 1e-3) & (pads < high[:2] + 1e-3)).all(axis=1).mean() > 0.7)
    return over and high[2] > 0.2e-3 and low[2] > -6e-3 and float((high - low).max()) < 0.1


def body_mesh(package: Package) -> Mesh:
    """The model in the package frame. Metal that reaches the board counts as lead."""
    pose = placement(package.dims)
    solids = []
    metal = {m.name for m in TABLE if m.metallic > 0.5}
    for vertices, faces, material in _solids(package.model):
        placed = vertices @ pose[:3, :3].T + pose[:3, 3]
        if np.linalg.det(pose[:3, :3]) < 0:
            faces = faces[:, ::-1]
        lead = material in metal and placed[:, 2].min() < 0.3e-3
        solids.append(Solid(placed, faces, material, PartKind.LEAD if lead else PartKind.BODY))
    if not solids:
        raise AssetError(f"{package.model}: holds no closed body; export a solid")
    return finish(package.key.replace(package.model, Path(package.model).name), solids)


__all__ = ["body_mesh", "placement", "usable"]
