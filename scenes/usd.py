"""Scene → OpenUSD: the stage that was rendered, as text that opens in usdview and Isaac Sim.

Layout (paths are ISA-95 ids made into prim names):

    /World                     metersPerUnit 1, Z up, kind assembly
      /Line/<station>/Camera   UsdGeomCamera, one per camera, matrix equal to the renderer's
      /Line/<station>/Light_…  UsdLux lamps
      /Product/Board           laminate mesh
      /Product/Parts/<ref>     instanceable references to /Prototypes/<package>
      /Product/Solder          joints and loose solder, one mesh per label id
    /Prototypes/<package>      class prims, one mesh per material
    /Materials/<name>          UsdPreviewSurface

Needs usd-core ≥ 26.5 (UsdSemantics; the first Sdr.Registry() of older wheels raises).
"""
from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from scenes.geometry import Geometry, Instances, Mesh, PartKind, Soup
from scenes.materials import TABLE
from scenes.optics import Camera, Lighting
from scenes.scene import Scene


def prim_name(text: str) -> str:
    """A valid prim name out of any text: letters, digits and underscores, not starting with a digit."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text) or "_"
    return f"_{name}" if name[0].isdigit() else name


def stage_text(scene: Scene, geometry: Geometry, names: Mapping[int, str], cameras: Sequence[Camera],
               lighting: Lighting) -> str:
    """The stage as USDA text. Equal arguments give equal text.

    Args:
        scene: Gives the line's ISA-95 path and the station ids.
        geometry: One unit, as drawn (board frame [m]).
        names: Label id → name, for prims and semantic labels (reference designators).
        cameras: The station's cameras, board frame.
        lighting: The station's lamps.
    """
    from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux

    stage = Usd.Stage.CreateInMemory()
    stage.SetMetadata("comment", f"linetwin scene '{scene.name}'")
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    world = UsdGeom.Xform.Define(stage, "/World")
    stage.SetDefaultPrim(world.GetPrim())
    Usd.ModelAPI(world.GetPrim()).SetKind("assembly")
    world.GetPrim().CreateAttribute("twin:line", Sdf.ValueTypeNames.String, custom=True).Set(scene.line)

    bind = _Materials(stage)
    _mesh_prims(stage, "/World/Product/Board", geometry.slab.mesh, bind)
    _label(stage.GetPrimAtPath("/World/Product/Board"), "board")

    stage.CreateClassPrim("/Prototypes")
    UsdGeom.Xform.Define(stage, "/World/Product/Parts")
    taken: set[str] = set()
    for group in geometry.instances:
        _parts(stage, group, names, bind, taken)
    UsdGeom.Xform.Define(stage, "/World/Product/Solder")
    _solder(stage, geometry.soup, bind)

    station = scene.camera_station()
    root = f"/World/Line/{prim_name(station.id)}"
    UsdGeom.Xform.Define(stage, "/World/Line")
    place = UsdGeom.Xform.Define(stage, root)
    place.GetPrim().CreateAttribute("twin:path", Sdf.ValueTypeNames.String, custom=True).Set(station.path)
    for camera in cameras:
        _camera(UsdGeom.Camera.Define(stage, f"{root}/{prim_name('Camera_' + camera.name)}"), camera)
    if any(lighting.dome):
        dome = UsdLux.DomeLight.Define(stage, f"{root}/Light_dome")
        dome.CreateColorAttr(Gf.Vec3f(*lighting.dome))
    for number, lamp in enumerate(lighting.directional):
        light = UsdLux.DistantLight.Define(stage, f"{root}/Light_directional_{number}")
        light.CreateColorAttr(Gf.Vec3f(*lamp.irradiance))
        light.AddTransformOp().Set(_looking_along(lamp.direction))
    for number, ring in enumerate(lighting.rings):
        prim = UsdGeom.Scope.Define(stage, f"{root}/Light_ring_{number}").GetPrim()
        prim.CreateAttribute("twin:zenith_deg", Sdf.ValueTypeNames.Double2, custom=True).Set(
            Gf.Vec2d(math.degrees(ring.zenith_min), math.degrees(ring.zenith_max)))
        prim.CreateAttribute("twin:radiance", Sdf.ValueTypeNames.Color3f, custom=True).Set(Gf.Vec3f(*ring.radiance))
    return stage.GetRootLayer().ExportToString()


class _Materials:
    """Defines each material of the table the first time it is bound."""

    def __init__(self, stage: object) -> None:
        self.stage = stage
        self.made: dict[int, object] = {}

    def __call__(self, prim: object, index: int) -> None:
        from pxr import Gf, Sdf, UsdShade

        if index not in self.made:
            record = TABLE[index]
            path = f"/Materials/{prim_name(record.name)}"
            material = UsdShade.Material.Define(self.stage, path)
            shader = UsdShade.Shader.Define(self.stage, f"{path}/Surface")
            shader.CreateIdAttr("UsdPreviewSurface")
            shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*(float(c) for c in record.base_color)))
            shader.CreateInput("metallic", Sdf.ValueTypeNames.Float).Set(float(record.metallic))
            shader.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(float(record.roughness))
            material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
            self.made[index] = material
        UsdShade.MaterialBindingAPI.Apply(prim).Bind(self.made[index])


def _label(prim: object, *labels: str) -> None:
    from pxr import UsdSemantics

    UsdSemantics.LabelsAPI.Apply(prim, "class").CreateLabelsAttr(list(labels))


def _mesh_prims(stage: object, path: str, mesh: Mesh, bind: _Materials) -> None:
    """One UsdGeomMesh per material below ``path``."""
    from pxr import UsdGeom

    UsdGeom.Xform.Define(stage, path)
    face_material = mesh.material[mesh.faces[:, 0]]
    for index in np.unique(face_material):
        _define_mesh(stage, f"{path}/{prim_name(TABLE[index].name)}", mesh.vertices, mesh.normals,
                     mesh.faces[face_material == index], int(index), bind)


def _define_mesh(stage: object, path: str, vertices: np.ndarray, normals: np.ndarray, faces: np.ndarray, material: int,
                 bind: _Materials) -> object:
    from pxr import UsdGeom, Vt

    used, local = np.unique(faces, return_inverse=True)
    points = np.ascontiguousarray(vertices[used], np.float32)
    prim = UsdGeom.Mesh.Define(stage, path)
    prim.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(points))
    prim.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(normals[used], np.float32)))
    prim.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    prim.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(local.ravel().astype(np.int32)))
    prim.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(faces), 3, np.int32)))
    prim.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    prim.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(np.stack([points.min(0), points.max(0)])))
    bind(prim.GetPrim(), material)
    return prim.GetPrim()


def _parts(stage: object, group: Instances, names: Mapping[int, str], bind: _Materials, taken: set[str]) -> None:
    from pxr import Gf, Sdf, UsdGeom

    base = name = prim_name(group.mesh.name)
    number = 1
    while name in taken:                       # two packages may share a name and differ in size
        number += 1
        name = f"{base}_{number}"
    taken.add(name)
    prototype = f"/Prototypes/{name}"
    _mesh_prims(stage, prototype, group.mesh, bind)
    for pose, instance in zip(group.pose, group.instance, strict=True):
        reference = names.get(int(instance), f"id_{int(instance)}")
        part = UsdGeom.Xform.Define(stage, f"/World/Product/Parts/{prim_name(reference)}")
        part.GetPrim().GetReferences().AddInternalReference(prototype)
        part.GetPrim().SetInstanceable(True)
        part.AddTransformOp().Set(Gf.Matrix4d(*np.asarray(pose, float).T.ravel().tolist()))
        part.GetPrim().CreateAttribute("twin:instance", Sdf.ValueTypeNames.UInt, custom=True).Set(int(instance))
        _label(part.GetPrim(), reference)


def _solder(stage: object, soup: Soup, bind: _Materials) -> None:
    from pxr import Sdf

    if not len(soup.faces):
        return
    owner = soup.instance[soup.faces[:, 0]]
    order = np.argsort(owner, kind="stable")
    ids, first = np.unique(owner[order], return_index=True)
    for instance, rows in zip(ids, np.split(order, first[1:]), strict=True):
        faces = soup.faces[rows]
        prim = _define_mesh(stage, f"/World/Product/Solder/id_{int(instance)}", soup.vertices, soup.normals, faces,
                            int(soup.material[faces[0, 0]]), bind)
        prim.CreateAttribute("twin:instance", Sdf.ValueTypeNames.UInt, custom=True).Set(int(instance))  # type: ignore[attr-defined]
        _label(prim, PartKind(int(soup.part[faces[0, 0]])).name.lower())


def _camera(prim: object, camera: Camera) -> None:
    """USD gives apertures in tenths of a stage unit; only their ratio to the focal length matters for a perspective."""
    from pxr import Gf, UsdGeom

    width, height = camera.width * camera.pixel_size, camera.height * camera.pixel_size
    lens: UsdGeom.Camera = prim
    if camera.model == "telecentric":
        lens.CreateProjectionAttr(UsdGeom.Tokens.orthographic)
    tenth = Gf.Camera.APERTURE_UNIT
    lens.CreateHorizontalApertureAttr(float(width / tenth))
    lens.CreateVerticalApertureAttr(float(height / tenth))
    lens.CreateFocalLengthAttr(float(camera.distance / tenth))
    lens.CreateFocusDistanceAttr(float(camera.distance))
    lens.CreateClippingRangeAttr(Gf.Vec2f(camera.near, camera.far))
    lens.AddTransformOp().Set(Gf.Matrix4d(*np.asarray(camera.pose, float).T.ravel().tolist()))


def _looking_along(direction: Sequence[float]) -> object:
    """A matrix whose −z axis points away from a lamp that lies in ``direction``."""
    from pxr import Gf

    z = np.asarray(direction, float)
    z = z / np.linalg.norm(z)
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[0, :3], matrix[1, :3], matrix[2, :3] = x, np.cross(z, x), z
    return Gf.Matrix4d(*matrix.ravel().tolist())


__all__ = ["prim_name", "stage_text"]
