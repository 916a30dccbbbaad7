"""The stage as triangles, materials and lamps, read anew at every step: session layer, instances and visibility as USD has them.

Points are in double precision and in the stage's world frame [stage units]; a frame moves them to its camera.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Usd, UsdGeom, UsdLux, UsdShade

from twin_standin.faults import fault
from twin_standin.materials import Surface, surface_of

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Leaf:
    """A mesh prim in the world, and where its labels come from."""
    path: str
    labelled: str                              # the nearest prim, itself or above, with labels; "" where there is none
    labels: dict[str, str]                     # taxonomy → labels of it and of what is above, joined by commas
    instanced: bool


@dataclass(frozen=True, eq=False)
class Lamp:
    """A light, as the shading wants it. ``kind``: dome, distant, or area (sphere, disk, rect, cylinder)."""
    kind: str
    radiance: F64                              # (3,) of dome and area lights; irradiance at right angles of distant ones
    position: F64                              # (3,) of area lights
    axis: F64                                  # (3,) unit: where it shines to; of distant and flat lights
    area: float
    flat: bool                                 # shines to one side only
    half_angle: float                          # [rad] of distant lights


@dataclass(frozen=True, eq=False)
class World:
    """Everything that can be seen. F triangles; ``leaf`` and ``surface`` are rows of the lists."""
    corners: F64                               # (F, 3, 3)
    normals: F32                               # (F, 3, 3) unit
    st: F32                                    # (F, 3, 2)
    primvars: dict[str, F32]                   # (F, 3, n) of those that materials read; NaN where a mesh has none
    leaf: NDArray[np.int32]                    # (F,)
    surface: NDArray[np.int32]                 # (F,)
    leaves: list[Leaf]
    surfaces: list[Surface]
    lamps: list[Lamp]
    metres: float                              # metersPerUnit
    matrices: dict[str, F64]                   # labelled prim → local to world, row vectors

    def bounds(self, path: str) -> F64:
        """Extent (2, 3) in its own frame of what a labelled prim holds, without what labelled prims below it hold."""
        mine = np.array([leaf.labelled == path for leaf in self.leaves])
        back = np.linalg.inv(self.matrices[path])
        local = self.corners[mine[self.leaf]].reshape(-1, 3) @ back[:3, :3] + back[3, :3]
        return np.stack([local.min(0), local.max(0)])


@dataclass(eq=False)
class _Shape:
    """A mesh in its own frame, triangulated."""
    corners: F64
    normals: F32 | None
    st: F32
    face: NDArray[np.int64]                    # (F,) the polygon that each triangle is of
    slots: NDArray[np.int64]                   # (F, 3) rows of faceVarying values
    vertex: NDArray[np.int64]                  # (F, 3) rows of vertex values

    def spread(self, values: Any, interpolation: Any) -> F32:
        """A primvar's values at the corners of triangles, (F, 3, n)."""
        array = np.asarray(values, np.float32)
        array = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
        if interpolation in (UsdGeom.Tokens.vertex, UsdGeom.Tokens.varying):
            return array[self.vertex]
        if interpolation == UsdGeom.Tokens.faceVarying:
            return array[self.slots]
        if interpolation == UsdGeom.Tokens.uniform:
            return np.repeat(array[self.face][:, None], 3, axis=1)
        return np.broadcast_to(array[:1][:, None], (len(self.face), 3, array.shape[1]))


def read_world(stage: Any) -> World:
    """What the stage shows now."""
    cache, reader = UsdGeom.XformCache(Usd.TimeCode.Default()), _Reader()
    context: dict[str, tuple[str, dict[str, str]]] = {"/": ("", {})}
    rows: list[tuple[Any, Leaf, Any]] = []
    lamps, frames = [], {}
    walk = iter(Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies()))
    for prim in walk:
        if prim.IsPseudoRoot():
            continue
        path = str(prim.GetPath())
        nearest, labels = context[path.rpartition("/")[0] or "/"]
        own = {} if _unlabelled(prim) else _labels(prim)
        if own:
            nearest, labels = path, _nested(labels, own)
            frames[path] = prim
        context[path] = nearest, labels
        if prim.IsA(UsdGeom.Imageable):
            imageable = UsdGeom.Imageable(prim)
            if imageable.GetVisibilityAttr().Get() == UsdGeom.Tokens.invisible or (
                    imageable.GetPurposeAttr().Get() in (UsdGeom.Tokens.guide, UsdGeom.Tokens.proxy)):
                walk.PruneChildren()
                continue
        if prim.IsA(UsdGeom.Mesh):
            rows.append((prim, Leaf(path, nearest, labels, prim.IsInstanceProxy()), cache.GetLocalToWorldTransform(prim)))
        elif prim.IsA(UsdGeom.Gprim) or prim.IsA(UsdGeom.PointInstancer):
            raise NotImplementedError(f"stand-in: {prim.GetTypeName()} at {path}; it draws meshes")
        elif prim.HasAPI(UsdLux.LightAPI):
            lamps.append(_lamp(prim, cache.GetLocalToWorldTransform(prim)))
    return _joined(stage, rows, lamps, reader, {path: matrix(cache.GetLocalToWorldTransform(p)) for path, p in frames.items()})


def matrix(given: Any) -> F64:
    """A USD matrix as (4, 4), for row vectors."""
    return np.array(given, np.float64).reshape(4, 4)


def _joined(stage: Any, rows: list[tuple[Any, Leaf, Any]], lamps: list[Lamp], reader: _Reader, frames: dict[str, F64]) -> World:
    bound, _ = UsdShade.MaterialBindingAPI.ComputeBoundMaterials([prim for prim, _, _ in rows])
    surfaces, number = [surface_of(None)], {"": 0}

    def row_of(material: Any) -> int:
        key = str(material.GetPath()) if material else ""
        if key not in number:
            number[key] = len(surfaces)
            surfaces.append(surface_of(material))
        return number[key]

    kept: dict[str, list[Any]] = {name: [] for name in ("corners", "normals", "st", "leaf", "surface")}
    read: list[tuple[Any, _Shape]] = []
    plain: list[set[int]] = []                 # rows of the surfaces that each mesh has
    turns: dict[bytes, Any] = {}
    for k, (prim, _, placed) in enumerate(rows):
        shape = reader(prim)
        if not len(shape.corners):
            continue
        place = matrix(placed)
        corners = shape.corners @ place[:3, :3] + place[3, :3]
        surface = np.full(len(corners), row_of(bound[k]), np.int32)
        has = {int(surface[0])}
        for subset in UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
            chosen = np.isin(shape.face, np.array(subset.GetIndicesAttr().Get() or [], np.int64))
            surface[chosen] = row_of(UsdShade.MaterialBindingAPI(subset.GetPrim()).ComputeBoundMaterial()[0])
            has = set(np.unique(surface).tolist())
        plain.append(has)
        read.append((prim, shape))
        key = place[:3, :3].tobytes()
        if key not in turns:
            turns[key] = np.linalg.inv(place[:3, :3]).T
        for name, value in (("corners", corners), ("normals", _turned(shape, corners, turns[key])), ("st", shape.st),
                            ("leaf", np.full(len(corners), k, np.int32)), ("surface", surface)):
            kept[name].append(value)
    empty = {"corners": np.zeros((0, 3, 3)), "normals": np.zeros((0, 3, 3), np.float32), "st": np.zeros((0, 3, 2), np.float32),
             "leaf": np.zeros(0, np.int32), "surface": np.zeros(0, np.int32)}
    arrays: dict[str, Any] = {name: np.concatenate(value) if value else empty[name] for name, value in kept.items()}
    return World(**arrays, primvars=_primvars(read, plain, surfaces), leaves=[leaf for _, leaf, _ in rows], surfaces=surfaces,
                 lamps=lamps, metres=UsdGeom.GetStageMetersPerUnit(stage), matrices=frames)


def _primvars(read: list[tuple[Any, _Shape]], has: list[set[int]], surfaces: list[Surface]) -> dict[str, F32]:
    """What the materials read beside st, from the mesh or from above it."""
    out = {}
    for name, size in {k: v for surface in surfaces for k, v in surface.reads.items()}.items():
        readers = {k for k, surface in enumerate(surfaces) if name in surface.reads}
        rows = []
        for (prim, shape), mine in zip(read, has, strict=True):
            row = np.full((len(shape.corners), 3, size), np.nan, np.float32)
            if mine & readers:
                found = UsdGeom.PrimvarsAPI(prim).FindPrimvarWithInheritance(name)
                if found and found.HasValue():
                    row[:] = shape.spread(found.ComputeFlattened(), found.GetInterpolation())
            rows.append(row)
        out[name] = np.concatenate(rows) if rows else np.zeros((0, 3, size), np.float32)
    return out


def _unlabelled(prim: Any) -> bool:
    return fault("no-instance-labels") is not None and (prim.IsInstance() or prim.IsInstanceProxy())


def _labels(prim: Any) -> dict[str, str]:
    """Taxonomy → labels authored on this very prim (applied schema SemanticsLabelsAPI:<taxonomy>)."""
    out = {}
    for name in prim.GetAppliedSchemas():
        head, _, taxonomy = str(name).partition(":")
        if head == "SemanticsLabelsAPI":
            words = prim.GetAttribute(f"semantics:labels:{taxonomy}").Get()
            if words:
                out[taxonomy] = ",".join(map(str, words))
    return out


def _nested(above: dict[str, str], own: dict[str, str]) -> dict[str, str]:
    """Nested labels end up in one comma list (NVIDIA forum, thread 262580); the order of the real one is not established."""
    out = dict(above)
    for taxonomy, words in own.items():
        out[taxonomy] = ",".join(dict.fromkeys([*filter(None, above.get(taxonomy, "").split(",")), *words.split(",")]))
    return out


class _Reader:
    """Meshes in their own frame; those below one prototype are read once."""

    def __init__(self) -> None:
        self._read: dict[str, _Shape] = {}

    def __call__(self, prim: Any) -> _Shape:
        source = prim.GetPrimInPrototype() if prim.IsInstanceProxy() else prim
        key = str(source.GetPath())
        if key not in self._read:
            self._read[key] = _shape(UsdGeom.Mesh(source))
        return self._read[key]


def _shape(mesh: Any) -> _Shape:
    points = np.asarray(mesh.GetPointsAttr().Get() if mesh.GetPointsAttr().Get() is not None else [], np.float64).reshape(-1, 3)
    counts = np.asarray(mesh.GetFaceVertexCountsAttr().Get() or [], np.int64)
    index = np.asarray(mesh.GetFaceVertexIndicesAttr().Get() or [], np.int64)
    if len(index) and (index.min() < 0 or index.max() >= len(points)):
        raise ValueError(f"{mesh.GetPath()}: a face index is not one of the {len(points)} points")
    if mesh.GetSubdivisionSchemeAttr().Get() != UsdGeom.Tokens.none:
        raise NotImplementedError(f"stand-in: {mesh.GetPath()} is a subdivision surface; RTX would round it")
    first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64) if len(counts) else np.zeros(0, np.int64)
    fans = np.maximum(counts - 2, 0)
    face = np.repeat(np.arange(len(counts)), fans)
    turn = np.arange(len(face)) - np.repeat(np.cumsum(fans) - fans, fans)
    slots = first[face][:, None] + np.column_stack([np.zeros_like(turn), turn + 1, turn + 2])
    if mesh.GetOrientationAttr().Get() == UsdGeom.Tokens.leftHanded:
        slots = slots[:, ::-1]
    vertex = index[slots] if len(slots) else np.zeros((0, 3), np.int64)
    shape = _Shape(points[vertex], None, np.zeros((len(face), 3, 2), np.float32), face, slots, vertex)
    primvars = UsdGeom.PrimvarsAPI(mesh.GetPrim())
    st, normals = (primvars.GetPrimvar(name) for name in ("st", "normals"))
    if st and st.HasValue():
        shape.st = shape.spread(st.ComputeFlattened(), st.GetInterpolation())
    if normals and normals.HasValue():
        shape.normals = shape.spread(normals.ComputeFlattened(), normals.GetInterpolation())
    elif mesh.GetNormalsAttr().Get() is not None and len(mesh.GetNormalsAttr().Get()):
        shape.normals = shape.spread(mesh.GetNormalsAttr().Get(), mesh.GetNormalsInterpolation())
    return shape


def _turned(shape: _Shape, corners: F64, turn: F64) -> F32:
    """Unit normals in the world; ``turn`` is the inverse transpose of the place's upper left."""
    if shape.normals is None:
        flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals = np.repeat(flat[:, None], 3, axis=1)
    else:
        normals = shape.normals @ turn
    return (normals / np.maximum(np.sqrt(np.einsum("fcd,fcd->fc", normals, normals))[..., None], 1e-30)).astype(np.float32)


def _lamp(prim: Any, placed: Any) -> Lamp:
    light, place = UsdLux.LightAPI(prim), matrix(placed)
    strength = light.GetIntensityAttr().Get() * 2.0 ** light.GetExposureAttr().Get()
    color = np.array(light.GetColorAttr().Get(), np.float64)
    if light.GetEnableColorTemperatureAttr().Get():
        color = color * np.array(UsdLux.BlackbodyTemperatureAsRgb(light.GetColorTemperatureAttr().Get()))
    radiance, normalized = strength * color, bool(light.GetNormalizeAttr().Get())
    axis = Gf.Vec3d(*(-place[2, :3]).tolist()).GetNormalized()
    common = {"position": place[3, :3].copy(), "axis": np.array(axis)}
    if prim.IsA(UsdLux.DomeLight):
        if UsdLux.DomeLight(prim).GetTextureFileAttr().Get():
            raise NotImplementedError(f"stand-in: a texture on the dome light {prim.GetPath()}")
        return Lamp("dome", radiance, **common, area=0.0, flat=False, half_angle=0.0)
    if prim.IsA(UsdLux.DistantLight):
        half = np.radians(UsdLux.DistantLight(prim).GetAngleAttr().Get()) / 2
        solid = np.pi * np.sin(half) ** 2
        return Lamp("distant", radiance if normalized or solid == 0 else radiance * solid, **common, area=0.0, flat=False,
                    half_angle=float(half))
    sizes = np.linalg.norm(place[:3, :3], axis=1)
    if prim.IsA(UsdLux.DiskLight):
        area, flat = np.pi * UsdLux.DiskLight(prim).GetRadiusAttr().Get() ** 2 * sizes[0] * sizes[1], True
    elif prim.IsA(UsdLux.RectLight):
        rect = UsdLux.RectLight(prim)
        area, flat = rect.GetWidthAttr().Get() * rect.GetHeightAttr().Get() * sizes[0] * sizes[1], True
    elif prim.IsA(UsdLux.SphereLight):
        area, flat = np.pi * UsdLux.SphereLight(prim).GetRadiusAttr().Get() ** 2 * sizes[0] ** 2, False
    else:
        raise NotImplementedError(f"stand-in: {prim.GetTypeName()} at {prim.GetPath()}")
    surface = area if flat else 4 * area       # UsdLux divides by the light's whole surface
    return Lamp("area", radiance / surface if normalized else radiance, **common, area=float(area), flat=flat, half_angle=0.0)
