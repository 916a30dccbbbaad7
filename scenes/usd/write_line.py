"""Writing line.usda, station.usda and equipment.usda: the line's groups, stations' places, benches, cameras, lamps, machines."""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scenes.constants import GRAVITY
from scenes.optics import Camera, Lighting
from scenes.usd import author
from scenes.usd.contents import Contents, Joint, Node, View
from scenes.usd.lamps import COUNT, looking_along, segments
from scenes.usd.names import MACHINES, UNIT, WORLD, line_path, prim_name, prim_names
from scenes.usd.write_look import look_paths


def place_paths(contents: Contents) -> dict[str, str]:
    """Station id → path of its prim."""
    names = prim_names(["Equipment", *(p.id for p in contents.places)])
    return {p.id: f"{line_path(contents.line)}/{names[p.id]}" for p in contents.places}


def write_line(layer: Any, contents: Contents) -> None:
    """The world, gravity, the line's groups and where each station stands."""
    from pxr import Gf

    world = author.at(layer, WORLD, "Xform")
    world.kind = "assembly"
    author.attribute(world, "twin:line", "string", contents.line)
    author.attribute(world, "twin:scene", "string", contents.name)
    author.attribute(world, "twin:scene_version", "int", contents.version)
    physics = author.prim(world, "PhysicsScene", "PhysicsScene")
    author.attribute(physics, "physics:gravityDirection", "vector3f", Gf.Vec3f(0, 0, -1))
    author.attribute(physics, "physics:gravityMagnitude", "float", GRAVITY)
    segments_ = line_path(contents.line).split("/")[2:]
    texts = [s for s in contents.line.split("/") if s]
    for depth in range(len(segments_)):
        group = author.at(layer, "/".join([WORLD, *segments_[: depth + 1]]), "Xform")
        group.kind = "group"
        author.attribute(group, "twin:path", "string", "/".join(texts[: depth + 1]))
    order = [path.rsplit("/", 1)[1] for path in place_paths(contents).values()]
    author.at(layer, line_path(contents.line), "Xform").nameChildrenOrder = [*order, "Equipment"]
    for place, path in zip(contents.places, place_paths(contents).values(), strict=True):
        spec = author.at(layer, path, "Xform")
        spec.kind = "component"
        author.place(spec, place.pose)
        author.attribute(spec, "twin:id", "string", place.id)
        author.attribute(spec, "twin:kind", "token", place.kind)
        author.attribute(spec, "twin:path", "string", place.path)
        author.label(spec, {"class": "station"})


def write_stations(layer: Any, contents: Contents) -> None:
    """Benches with units, cameras and lamps, of every station that looks. The unit itself stands only there."""
    from pxr import Sdf

    author.at(layer, UNIT, "Xform", "class").specifier = Sdf.SpecifierClass
    paths = place_paths(contents)
    middle = _middle(contents)
    for place in contents.places:
        bench = author.prim(author.at(layer, paths[place.id], "Xform"), "Bench", "Xform")
        author.place(bench, place.bench)
        if not place.looks:
            continue
        for view in place.views:
            _camera(author.prim(bench, view.prim, "Camera"), view)
        if place.lighting is not None:
            _lamps(bench, place.lighting, middle)
        product = author.prim(bench, "Product", "Xform")
        product.referenceList.prependedItems.append(Sdf.Reference(primPath=UNIT))
        if contents.states:
            product.variantSelections["unit"] = prim_name(place.state)


def _middle(contents: Contents) -> tuple[float, float, float]:
    points = np.concatenate([p.points for p in contents.unit.board]) if contents.unit.board else np.zeros((1, 3))
    x, y = ((points.min(axis=0) + points.max(axis=0)) / 2)[:2].tolist()
    return x, y, 0.0


def _camera(spec: Any, view: View) -> None:
    """USD gives apertures in tenths of a stage unit; only their ratio to the focal length matters for a perspective."""
    from pxr import Gf

    camera: Camera = view.camera
    tenth = Gf.Camera.APERTURE_UNIT
    author.transform(spec, camera.pose)
    author.attribute(spec, "clippingRange", "float2", Gf.Vec2f(camera.near, camera.far))
    author.attribute(spec, "focalLength", "float", camera.distance / tenth)
    author.attribute(spec, "focusDistance", "float", camera.distance)
    author.attribute(spec, "horizontalAperture", "float", camera.width * camera.pixel_size / tenth)
    author.attribute(spec, "projection", "token", "orthographic" if camera.model == "telecentric" else "perspective")
    author.attribute(spec, "verticalAperture", "float", camera.height * camera.pixel_size / tenth)
    author.attribute(spec, "twin:distance", "double", camera.distance)
    author.attribute(spec, "twin:height", "int", camera.height)
    author.attribute(spec, "twin:modality", "token", view.modality)
    author.attribute(spec, "twin:model", "token", camera.model)
    author.attribute(spec, "twin:name", "string", camera.name)
    author.attribute(spec, "twin:pixel_size", "double", camera.pixel_size)
    author.attribute(spec, "twin:spec", "string", view.spec)
    author.attribute(spec, "twin:tile", "int", view.tile)
    author.attribute(spec, "twin:width", "int", camera.width)


def _lamps(bench: Any, lighting: Lighting, middle: Sequence[float]) -> None:
    from pxr import Gf

    author.attribute(bench, "twin:blur", "double", lighting.blur)
    author.attribute(bench, "twin:exposure", "double", lighting.exposure)
    author.attribute(bench, "twin:noise", "double", lighting.noise)
    author.attribute(bench, "twin:white_balance", "color3d", Gf.Vec3d(*lighting.white_balance))
    if any(lighting.dome):
        _light(author.prim(bench, "Light_dome", "DomeLight"), lighting.dome, 1.0)
    for number, lamp in enumerate(lighting.directional):
        spec = author.prim(bench, f"Light_directional_{number}", "DistantLight")
        author.transform(spec, looking_along(lamp.direction))
        _light(spec, lamp.irradiance, math.pi)
        author.attribute(spec, "inputs:angle", "float", 0.53)
        author.attribute(spec, "inputs:normalize", "bool", True)
        author.apply(spec, "ShadowAPI")
        author.attribute(spec, "inputs:shadow:enable", "bool", lamp.shadows)
    for number, ring in enumerate(lighting.rings):
        spec = author.prim(bench, f"Light_ring_{number}", "Xform")
        author.attribute(spec, "twin:azimuth_count", "int", COUNT)
        author.attribute(spec, "twin:radiance", "color3d", Gf.Vec3d(*ring.radiance))
        author.attribute(spec, "twin:zenith_deg", "double2",
                         Gf.Vec2d(math.degrees(ring.zenith_min), math.degrees(ring.zenith_max)))
        radius, poses = segments(ring, middle)
        for k, pose in enumerate(poses):
            disk = author.prim(spec, f"Lamp_{k:02d}", "DiskLight")
            author.transform(disk, pose)
            _light(disk, ring.radiance, 1.0)
            author.attribute(disk, "inputs:radius", "float", radius)


def _light(spec: Any, color: Sequence[float], intensity: float) -> None:
    from pxr import Gf

    author.attribute(spec, "inputs:color", "color3f", Gf.Vec3f(*(float(c) for c in color)))
    author.attribute(spec, "inputs:intensity", "float", intensity)


def write_machines(layer: Any, contents: Contents) -> None:
    """Machines below their stations, what stands beside them below the line's ``Equipment``, and what they repeat."""
    looks = look_paths(contents)
    paths = place_paths(contents)
    if contents.prototypes:
        author.at(layer, MACHINES.rsplit("/", 1)[0], "Scope", "class")
        shared = author.at(layer, MACHINES, "Scope")
        for node in contents.prototypes:
            _node(shared, node, node.name, looks, "", {})
    for place in contents.places:
        if place.machine is not None:
            _machine(author.at(layer, paths[place.id], "Xform"), place.machine, "Machine", looks, paths[place.id])
    for node in contents.equipment:
        path = f"{line_path(contents.line)}/Equipment"
        group = author.at(layer, path, "Xform")
        group.kind = "group"
        _machine(group, node, prim_name(node.name), looks, path)


def _machine(parent: Any, node: Node, name: str, looks: Mapping[str, str], path: str) -> None:
    spec = _node(parent, node, name, looks, f"{path}/{name}", _bodies(node, "", np.eye(4)))
    if path.endswith("/Equipment"):
        spec.kind = "component"


def _bodies(node: Node, path: str, above: Any) -> dict[str, Any]:
    """Path from the machine down → pose in the machine's frame, of all nodes below."""
    out: dict[str, Any] = {}
    for child in node.children:
        here = f"{path}/{child.name}".lstrip("/")
        out[here] = above @ child.pose
        out |= _bodies(child, here, out[here])
    return out


def _node(parent: Any, node: Node, name: str, looks: Mapping[str, str], machine: str, poses: Mapping[str, Any],
          below: str = "") -> Any:
    from pxr import Sdf

    spec = author.prim(parent, name, "Xform")
    author.place(spec, node.pose)
    author.label(spec, node.labels)
    if node.prototype:
        spec.instanceable = True
        spec.referenceList.prependedItems.append(Sdf.Reference(primPath=f"{MACHINES}/{node.prototype}"))
    if node.body is not None:
        author.apply(spec, "PhysicsRigidBodyAPI", "PhysicsMassAPI")
        author.attribute(spec, "physics:kinematicEnabled", "bool", node.body.kinematic)
        author.attribute(spec, "physics:mass", "float", node.body.mass)
        author.attribute(spec, "physics:rigidBodyEnabled", "bool", True)
    for piece in node.pieces:
        made = author.mesh(spec, piece, looks[piece.material])
        if node.body is not None and node.body.collision != "none":
            author.apply(made, "PhysicsCollisionAPI", "PhysicsMeshCollisionAPI")
            author.attribute(made, "physics:approximation", "token", node.body.collision)
    for child in node.children:
        _node(spec, child, child.name, looks, machine, poses, f"{below}/{child.name}".lstrip("/"))
    if node.joint is not None:
        _joint(spec, node.joint, machine, below, poses)
    return spec


def _joint(spec: Any, joint: Joint, machine: str, below: str, poses: Mapping[str, Any]) -> None:
    """A joint whose frame is the node's; its other end is where that frame is as seen from what holds it."""
    from pxr import Gf

    held = np.linalg.inv(poses[joint.to]) @ poses[below] if joint.to else poses[below]
    turn = Gf.Matrix4d(*held.T.ravel().tolist()).ExtractRotationQuat().GetNormalized()
    kind = {"prismatic": "PhysicsPrismaticJoint", "revolute": "PhysicsRevoluteJoint"}[joint.kind]
    made = author.prim(spec, "Joint", kind)
    scale = 1.0 if joint.kind == "prismatic" else 180 / math.pi
    author.attribute(made, "physics:axis", "token", joint.axis)
    author.relationship(made, "physics:body0", f"{machine}/{joint.to}" if joint.to else machine)
    author.relationship(made, "physics:body1", f"{machine}/{below}")
    author.attribute(made, "physics:localPos0", "point3f", Gf.Vec3f(*held[:3, 3].tolist()))
    author.attribute(made, "physics:localPos1", "point3f", Gf.Vec3f(0))
    author.attribute(made, "physics:localRot0", "quatf", Gf.Quatf(turn))
    author.attribute(made, "physics:localRot1", "quatf", Gf.Quatf(1))
    author.attribute(made, "physics:lowerLimit", "float", joint.lower * scale)
    author.attribute(made, "physics:upperLimit", "float", joint.upper * scale)


__all__ = ["place_paths", "write_line", "write_machines", "write_stations"]
