"""Reading meshes as triangles with a normal per vertex, whatever a modelling program made of them."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.usd.contents import Piece
from scenes.usd.names import ARTWORK, BOARD_TOP, FILM, LOOKS

VERTICES_MAX = 20_000_000                      # of one mesh


class Notes(list[str]):
    """What was not understood, one line each: the prim's path, what, what happens with it."""

    def tell(self, prim: Any, what: str) -> None:
        line = f"{prim.GetPath()}: {what}"
        if line not in self:
            self.append(line)


def matrix(gf: Any) -> NDArray[np.float64]:
    """A Gf matrix, which acts on rows, as ours, which acts on columns."""
    return np.ascontiguousarray(np.array(gf, np.float64).T)


def local(prim: Any, ancestor: Any) -> NDArray[np.float64]:
    """Pose of a prim in the frame of one above it."""
    from pxr import UsdGeom

    out, here = np.eye(4), prim
    while here and here != ancestor:
        if here.IsA(UsdGeom.Xformable):
            out = matrix(UsdGeom.Xformable(here).GetLocalTransformation()) @ out
        here = here.GetParent()
    return out


def twin(prim: Any, name: str, default: Any = None) -> Any:
    """Value of an attribute ``twin:<name>``."""
    value = prim.GetAttribute(f"twin:{name}").Get()
    return default if value is None else value


def labels(prim: Any) -> dict[str, str]:
    """The first direct label of every taxonomy, but for ``part``, which meshes have for themselves."""
    out = {}
    for schema in prim.GetAppliedSchemas():
        kind, _, taxonomy = str(schema).partition(":")
        found = prim.GetAttribute(f"semantics:labels:{taxonomy}").Get() if kind == "SemanticsLabelsAPI" else None
        if found and taxonomy != "part":
            out[taxonomy] = str(found[0])
    return dict(sorted(out.items()))


def piece(prim: Any, holder: Any, notes: Notes) -> Piece | None:
    """A mesh prim below ``holder``, in its frame; None for one that has no triangles, which is told."""
    from pxr import UsdGeom

    mesh = UsdGeom.Mesh(prim)
    points = np.asarray(mesh.GetPointsAttr().Get() or [], np.float32).reshape(-1, 3)
    counts = np.asarray(mesh.GetFaceVertexCountsAttr().Get() or [], np.int64)
    indices = np.asarray(mesh.GetFaceVertexIndicesAttr().Get() or [], np.int64)
    if not len(points) or not len(counts) or counts.min() < 3 or counts.sum() != len(indices) \
            or indices.min() < 0 or indices.max() >= len(points):
        notes.tell(prim, "no points, or faces that do not fit them; left out")
        return None
    if len(indices) > VERTICES_MAX or not np.isfinite(points).all():
        notes.tell(prim, f"more than {VERTICES_MAX} corners, or points that are not finite; left out")
        return None
    if mesh.GetSubdivisionSchemeAttr().Get() != "none":
        notes.tell(prim, "a subdivision surface; taken as the mesh that it is made from")
    faces = indices.reshape(-1, 3) if (counts == 3).all() else _triangles(counts)
    shared = (counts == 3).all()
    normals, kind = np.asarray(mesh.GetNormalsAttr().Get() or [], np.float32).reshape(-1, 3), mesh.GetNormalsInterpolation()
    primvar = UsdGeom.PrimvarsAPI(prim).GetPrimvar("normals")
    if primvar and primvar.HasAuthoredValue():
        normals, kind = np.asarray(primvar.ComputeFlattened(), np.float32).reshape(-1, 3), primvar.GetInterpolation()
    if not shared:                             # ``faces`` number corners
        if kind == UsdGeom.Tokens.vertex and len(normals) == len(points):
            faces = indices[faces]
        elif kind == UsdGeom.Tokens.faceVarying and len(normals) == len(indices):
            points, normals = points[indices[faces].ravel()], normals[faces.ravel()]
            faces = np.arange(len(points)).reshape(-1, 3)
        else:
            points, normals, faces = _flat(points, indices[faces])
    elif kind == UsdGeom.Tokens.faceVarying and len(normals) == len(indices):
        points, faces = points[faces.ravel()], np.arange(faces.size).reshape(-1, 3)
    elif not (kind in (UsdGeom.Tokens.vertex, UsdGeom.Tokens.varying) and len(normals) == len(points)):
        points, normals, faces = _flat(points, faces)
    st = UsdGeom.PrimvarsAPI(prim).GetPrimvar("st")
    texture = np.asarray(st.ComputeFlattened(), np.float32).reshape(-1, 2) if st and st.HasAuthoredValue() else None
    if texture is not None and len(texture) != len(points):
        texture = None
    if mesh.GetOrientationAttr().Get() == "leftHanded":
        faces = faces[:, ::-1]
    pose = local(prim, holder)
    if not np.array_equal(pose, np.eye(4)):
        points = (points @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32)
        turned = normals @ np.linalg.inv(pose[:3, :3])
        normals = (turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-30)).astype(np.float32)
    color, opacity = mesh.GetDisplayColorAttr().Get(), mesh.GetDisplayOpacityAttr().Get()
    return Piece(prim.GetName(), material_of(prim), twin(prim, "part", ""), np.ascontiguousarray(points, np.float32),
                 np.ascontiguousarray(normals, np.float32), np.ascontiguousarray(faces, np.int32), texture,
                 tuple(float(c) for c in color[0]) if color else None, float(opacity[0]) if opacity else None)    # type: ignore[arg-type]


def _triangles(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Polygons as fans: corner numbers (T, 3)."""
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.array([(start, start + k, start + k + 1) for start, count in zip(starts.tolist(), counts.tolist(), strict=True)
                     for k in range(1, count - 1)])


def _flat(points: NDArray[np.float32],
          faces: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Every triangle with vertices of its own and its own normal."""
    corners = points[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    return corners.reshape(-1, 3), np.repeat(normal, 3, axis=0).astype(np.float32), np.arange(faces.size).reshape(-1, 3)


def material_of(prim: Any) -> str:
    """Name of the material that a mesh is of: that of its look; its own word where the look is a picture or a film."""
    from pxr import UsdShade

    look = UsdShade.MaterialBindingAPI(prim).GetDirectBinding().GetMaterialPath()
    own = str(twin(prim, "material", ""))
    if look.isEmpty:
        look = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0].GetPath()
    pictures = {f"{LOOKS}/{ARTWORK}", f"{LOOKS}/{FILM}"} | ({f"{LOOKS}/solder_mask"} if prim.GetName() == BOARD_TOP else set())
    if own and (look.isEmpty or str(look) in pictures):
        return own
    if look.isEmpty:
        return ""
    bound = prim.GetStage().GetPrimAtPath(look)
    return str(twin(bound, "material", look.name)) if bound else look.name


__all__ = ["Notes", "labels", "local", "material_of", "matrix", "piece", "twin"]
