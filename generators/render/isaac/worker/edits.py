"""Edits of the stage, with pxr alone, in the session layer: the files on disk stay as they are."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import Refused
from .files import inside
from .stage import PARTS

Array = np.ndarray[Any, Any]
KINDS = {"points": ("<f4", 3), "normals": ("<f4", 3), "st": ("<f4", 2), "faces": ("<u4", 3)}
ROWS_MOST = 1 << 26


def loaded(path: Path, name: str) -> Array:
    """An array of a delta. Refuses other types and shapes, and files that hold Python objects."""
    kind, columns = KINDS[name]
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r")
    except ValueError as error:
        raise Refused("edit", f"{path.name}: {error}") from error
    if array.dtype != np.dtype(kind) or array.ndim != 2 or array.shape[1] != columns or len(array) > ROWS_MOST:
        raise Refused("edit", f"{path.name}: {array.dtype} {array.shape} instead of {kind} (N, {columns})")
    return array


def apply(stage: Any, edits: Sequence[Mapping[str, Any]], arrays: Mapping[str, Array], shared: Path) -> None:
    """All edits in order. Refuses ("edit") the first that cannot be made, by its number."""
    from pxr import Tf, Usd

    with Usd.EditContext(stage, Usd.EditTarget(stage.GetSessionLayer())):
        for number, edit in enumerate(edits):
            try:
                _DO[edit["edit"]](stage, edit, arrays, shared)
            except (KeyError, ValueError, IndexError, TypeError, Tf.ErrorException) as error:
                where = f"edit {number} ({edit.get('edit')} {edit.get('path')})"
                raise Refused("edit", f"{where}: {type(error).__name__}: {error}") from error


def _pose(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    _place(_prim(stage, edit["path"]), edit["matrix"])


def _show(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    from pxr import UsdGeom

    token = UsdGeom.Tokens.inherited if edit["visible"] else UsdGeom.Tokens.invisible
    UsdGeom.Imageable(_prim(stage, edit["path"])).CreateVisibilityAttr().Set(token)


def _remove(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    _prim(stage, edit["path"])
    _away(stage, edit["path"])


def _group(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    from pxr import UsdGeom

    prim = UsdGeom.Xform.Define(stage, edit["path"]).GetPrim()
    prim.SetActive(True)
    for path in [child.GetPath() for child in prim.GetAllChildren()]:
        _away(stage, path)                     # of the thing that had this id before: it must not be seen as part of the new one
    _identify(prim, edit["instance"], edit["labels"])


def _mesh(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    from pxr import Gf, Sdf, UsdGeom, Vt

    first, last = _span(edit["vertices"], arrays["points"])
    points, normals = (np.ascontiguousarray(arrays[name][first:last]) for name in ("points", "normals"))
    begin, end = _span(edit["faces"], arrays["faces"])
    faces = np.ascontiguousarray(arrays["faces"][begin:end])
    if not len(points) or len(normals) != len(points) or int(faces.max(initial=0)) >= len(points):
        raise ValueError("faces and vertices do not fit")
    mesh = UsdGeom.Mesh.Define(stage, edit["path"])
    mesh.GetPrim().SetActive(True)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(normals))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(faces.astype(np.int32).ravel()))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(faces), 3, np.int32)))
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(np.stack([points.min(axis=0), points.max(axis=0)])))
    primvars = UsdGeom.PrimvarsAPI(mesh)
    if edit["textured"]:
        st = np.ascontiguousarray(arrays["st"][first:last])
        if len(st) != len(points):
            raise ValueError("texture coordinates and vertices do not fit")
        primvars.CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex).Set(Vt.Vec2fArray.FromNumpy(st))
    color, opacity = edit["color"], edit["opacity"]
    for name, kind, value in (("displayColor", Sdf.ValueTypeNames.Color3fArray, color and [Gf.Vec3f(*color)]),
                              ("displayOpacity", Sdf.ValueTypeNames.FloatArray, None if opacity is None else [opacity]),
                              ("roughness", Sdf.ValueTypeNames.Float, edit["roughness"])):
        if value is not None:
            primvars.CreatePrimvar(name, kind, UsdGeom.Tokens.constant).Set(value)
    if edit["part"] not in PARTS:
        raise ValueError(f"part {edit['part']!r}; known: {', '.join(PARTS)}")
    mesh.GetPrim().CreateAttribute("twin:part", Sdf.ValueTypeNames.Token, custom=True).Set(edit["part"])
    _identify(mesh.GetPrim(), edit["instance"], edit["labels"])
    _bound(stage, mesh.GetPrim(), edit["material"])


def _material(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    from pxr import Gf, Sdf, UsdShade

    path, kinds = edit["path"], Sdf.ValueTypeNames
    material = UsdShade.Material.Define(stage, path)
    shader = UsdShade.Shader.Define(stage, f"{path}/Surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", kinds.Color3f).Set(Gf.Vec3f(*edit["color"]))
    shader.CreateInput("metallic", kinds.Float).Set(edit["metallic"])
    shader.CreateInput("roughness", kinds.Float).Set(edit["roughness"])
    if edit["opacity"] < 1:
        shader.CreateInput("opacity", kinds.Float).Set(edit["opacity"])
    for primvar in edit["reads"]:
        name, kind, read = {"displayColor": ("diffuseColor", kinds.Color3f, "float3"),
                            "displayOpacity": ("opacity", kinds.Float, "float"),
                            "roughness": ("roughness", kinds.Float, "float")}[primvar]
        reader = UsdShade.Shader.Define(stage, f"{path}/Read_{primvar}")
        reader.CreateIdAttr(f"UsdPrimvarReader_{read}")
        reader.CreateInput("varname", kinds.String).Set(primvar)
        result = reader.CreateOutput("result", kinds.Float3 if read == "float3" else kinds.Float)
        shader.CreateInput(name, kind).ConnectToSource(result)
    if edit["picture"] is not None:
        place = UsdShade.Shader.Define(stage, f"{path}/Place")
        place.CreateIdAttr("UsdPrimvarReader_float2")
        place.CreateInput("varname", kinds.String).Set("st")
        texture = UsdShade.Shader.Define(stage, f"{path}/Color")
        texture.CreateIdAttr("UsdUVTexture")
        texture.CreateInput("file", kinds.Asset).Set(Sdf.AssetPath(str(inside(shared, edit["picture"]))))
        texture.CreateInput("sourceColorSpace", kinds.Token).Set("sRGB")
        for side in ("wrapS", "wrapT"):
            texture.CreateInput(side, kinds.Token).Set("clamp")
        texture.CreateInput("st", kinds.Float2).ConnectToSource(place.CreateOutput("result", kinds.Float2))
        shader.CreateInput("diffuseColor", kinds.Color3f).ConnectToSource(texture.CreateOutput("rgb", kinds.Float3))
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")


def _paint(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    from pxr import Gf, Sdf, UsdGeom

    prim = _prim(stage, edit["path"])
    primvar = UsdGeom.PrimvarsAPI(prim).CreatePrimvar("displayColor", Sdf.ValueTypeNames.Color3fArray, UsdGeom.Tokens.constant)
    primvar.Set([Gf.Vec3f(*edit["color"])])
    _bound(stage, prim, edit["material"])


def _picture(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    from pxr import Sdf, UsdShade

    shader = UsdShade.Shader(_prim(stage, edit["path"]))
    if not shader or shader.GetIdAttr().Get() != "UsdUVTexture":
        raise ValueError("not a UsdUVTexture")
    shader.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(Sdf.AssetPath(str(inside(shared, edit["file"]))))


def _light(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    from pxr import Gf, UsdLux

    if edit["kind"] == "dome":
        light = UsdLux.DomeLight.Define(stage, edit["path"])
    elif edit["kind"] == "distant":
        light = UsdLux.DistantLight.Define(stage, edit["path"])
        light.CreateNormalizeAttr(True)
    else:
        light = UsdLux.DiskLight.Define(stage, edit["path"])
        light.CreateRadiusAttr(edit["radius"])
    prim = light.GetPrim()
    prim.SetActive(True)
    light.CreateIntensityAttr(edit["intensity"])
    light.CreateColorAttr(Gf.Vec3f(*edit["color"]))
    UsdLux.ShadowAPI.Apply(prim).CreateShadowEnableAttr(edit["shadows"])
    if edit["matrix"] is not None:
        _place(prim, edit["matrix"])


def _camera(stage: Any, edit: Mapping[str, Any], arrays: Mapping[str, Array], shared: Path) -> None:
    from pxr import Gf, UsdGeom

    camera = UsdGeom.Camera.Define(stage, edit["path"])
    tenth = Gf.Camera.APERTURE_UNIT            # apertures and focal length are in tenths of a stage unit
    camera.CreateProjectionAttr(UsdGeom.Tokens.orthographic if edit["model"] == "telecentric" else UsdGeom.Tokens.perspective)
    camera.CreateHorizontalApertureAttr(edit["width_m"] / tenth)
    camera.CreateVerticalApertureAttr(edit["height_m"] / tenth)
    camera.CreateFocalLengthAttr(edit["distance"] / tenth)
    camera.CreateFocusDistanceAttr(edit["distance"])
    camera.CreateClippingRangeAttr(Gf.Vec2f(edit["near"], edit["far"]))
    _place(camera.GetPrim(), edit["matrix"])


_DO: dict[str, Callable[[Any, Mapping[str, Any], Mapping[str, Array], Path], None]] = {
    "pose": _pose, "show": _show, "remove": _remove, "group": _group, "mesh": _mesh, "material": _material,
    "paint": _paint, "picture": _picture, "light": _light, "camera": _camera}


def _prim(stage: Any, path: str) -> Any:
    prim = stage.GetPrimAtPath(path)
    if not prim:
        raise ValueError("no such prim")
    return prim


def _away(stage: Any, path: Any) -> None:
    """Delete what this layer defines of a prim, and make inactive what the stage brought of it."""
    stage.RemovePrim(path)
    if left := stage.GetPrimAtPath(path):
        left.SetActive(False)


def _place(prim: Any, matrix: Sequence[float]) -> None:
    """``matrix`` row by row, for column vectors; USD wants it for row vectors."""
    from pxr import Gf, UsdGeom

    values = np.asarray(matrix, np.float64).reshape(4, 4).T.ravel().tolist()
    UsdGeom.Xformable(prim).MakeMatrixXform().Set(Gf.Matrix4d(*values))


def _identify(prim: Any, instance: int | None, labels: Mapping[str, str]) -> None:
    from pxr import Sdf, UsdSemantics

    if instance is not None:
        prim.CreateAttribute("twin:instance", Sdf.ValueTypeNames.UInt, custom=True).Set(instance)
    for taxonomy, label in labels.items():
        UsdSemantics.LabelsAPI.Apply(prim, taxonomy).CreateLabelsAttr().Set([label])


def _bound(stage: Any, prim: Any, path: str) -> None:
    from pxr import UsdShade

    material = UsdShade.Material.Get(stage, path)
    if not material:
        raise ValueError(f"material {path} is not there")
    UsdShade.MaterialBindingAPI.Apply(prim).Bind(material)


def _span(span: Sequence[int], array: Array) -> tuple[int, int]:
    first, last = span
    if not 0 <= first <= last <= len(array):
        raise ValueError(f"rows {first} to {last} of {len(array)}")
    return first, last


__all__ = ["apply", "loaded"]
