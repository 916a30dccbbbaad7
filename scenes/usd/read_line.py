"""Reading stations: places, cameras, lamps; and machines as trees of nodes."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scenes.optics import Camera, Directional, Lighting, Rgb, Ring
from scenes.usd.contents import Body, Joint, Node, Place, View
from scenes.usd.emission import collimated, emitted
from scenes.usd.names import MACHINES
from scenes.usd.numbers import count_in, finite, number_in, numbers_in
from scenes.usd.read_mesh import Notes, labels, local, piece, twin

FLOAT32 = 2e-6                                 # [1] relative: a lens attribute within this of its twin: attribute was not touched


def stations(world: Any) -> list[Any]:
    """The prims of the stations, in their order. Nothing below a station is looked into."""
    out, waiting = [], list(world.GetChildren())
    while waiting:
        prim = waiting.pop(0)
        if twin(prim, "id") is not None and twin(prim, "kind") is not None:
            out.append(prim)
        elif prim.GetTypeName() in ("Xform", "Scope", "") and not prim.IsInstance():
            waiting = list(prim.GetChildren()) + waiting
    return out


def read_place(prim: Any, line: Any, notes: Notes) -> Place:
    """A station but for its state and machine, in the frame of its line."""
    bench = prim.GetChild("Bench")
    views: list[View] = []
    lighting = None
    if bench:
        for child in bench.GetChildren():
            if child.GetTypeName() == "Camera" and (view := _view(child, bench, notes)) is not None:
                views.append(view)
        lighting = _lighting(bench, notes)
    return Place(str(twin(prim, "id")), str(twin(prim, "path", "")), str(twin(prim, "kind")), local(prim, line),
                 local(bench, prim) if bench else np.eye(4), tuple(views), lighting)


def _view(prim: Any, bench: Any, notes: Notes) -> View | None:
    """A camera. Where a lens attribute was edited it counts; else the twin: attribute, which has all its digits."""
    from pxr import Gf, UsdGeom

    lens, tenth = UsdGeom.Camera(prim), Gf.Camera.APERTURE_UNIT
    if twin(prim, "width") is None or twin(prim, "height") is None:
        notes.tell(prim, "no twin:width and twin:height; not a camera of the twin, left out")
        return None
    width, height = count_in(prim, "twin:width"), count_in(prim, "twin:height")
    told = {name: _number(prim, name, None, above=0) for name in ("distance", "pixel_size")}
    telecentric = lens.GetProjectionAttr().Get() == UsdGeom.Tokens.orthographic
    distance = _kept(number_in(prim, "focusDistance", above=None if telecentric else 0), told["distance"])
    across, up = (number_in(prim, f"{side}Aperture", above=0) * tenth for side in ("horizontal", "vertical"))
    scale = 1.0 if telecentric else distance / (number_in(prim, "focalLength", above=0) * tenth)
    pixel = _kept(across * scale / width, told["pixel_size"])
    if not math.isclose(up / height, across / width, rel_tol=1e-5):
        notes.tell(prim, "its pixels are not square; the width counts")
    if lens.GetHorizontalApertureOffsetAttr().Get() or lens.GetVerticalApertureOffsetAttr().Get():
        notes.tell(prim, "has an aperture offset, which is left out")
    pose = finite(prim, local(prim, bench))
    turn = pose[:3, :3]
    if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-6) or np.linalg.det(turn) < 0:
        notes.tell(prim, "its matrix scales, shears or mirrors; a camera only turns")
    near, far = numbers_in(prim, "clippingRange", 2)
    name = str(twin(prim, "name", prim.GetName().removeprefix("Camera_")))
    camera = Camera(name, width, height, pixel, pose, distance, "telecentric" if telecentric else "perspective", near, far)
    modality = str(twin(prim, "modality", "rgb"))
    if modality not in ("rgb", "thermal", "xray"):
        notes.tell(prim, f"twin:modality '{modality}' is not rgb, thermal or xray; taken as rgb")
        modality = "rgb"
    tile = count_in(prim, "twin:tile", least=0) if twin(prim, "tile") is not None else 0
    return View(prim.GetName(), camera, modality, str(twin(prim, "spec", name)), tile)             # type: ignore[arg-type]


def _number(prim: Any, name: str, default: Any, above: float | None = None) -> Any:
    """The number in ``twin:<name>``, checked; the default where it is not there."""
    return default if twin(prim, name) is None else number_in(prim, f"twin:{name}", above=above)


def _color(prim: Any, name: str) -> Rgb:
    """The three numbers in ``twin:<name>``, checked; white where it is not there."""
    return _rgb((1.0, 1.0, 1.0) if twin(prim, name) is None else numbers_in(prim, f"twin:{name}", 3))


def _kept(seen: float, told: float | None) -> float:
    return float(told) if told is not None and math.isclose(seen, told, rel_tol=FLOAT32) else seen


def _lighting(bench: Any, notes: Notes) -> Lighting | None:
    """The lamps of a bench, as the writer's layout has them; others are told."""
    dome, directional, rings, found = np.zeros(3), [], [], twin(bench, "exposure") is not None
    for prim in bench.GetChildren():
        kind = prim.GetTypeName()
        if twin(prim, "zenith_deg") is not None:
            low, high = (math.radians(v) for v in numbers_in(prim, "twin:zenith_deg", 2))
            rings.append(Ring(low, high, _color(prim, "radiance")))
        elif kind == "DomeLight":
            dome += emitted(prim)
            if prim.GetAttribute("inputs:texture:file").Get():
                notes.tell(prim, "its texture is left out; it shines evenly")
        elif kind == "DistantLight":
            pose, shadows = local(prim, bench), prim.GetAttribute("inputs:shadow:enable").Get()
            direction = pose[:3, 2] / np.linalg.norm(pose[:3, 2])
            power = _rgb(collimated(prim).tolist())
            directional.append(Directional((float(direction[0]), float(direction[1]), float(direction[2])), power,
                                           True if shadows is None else bool(shadows)))
        elif kind.endswith("Light"):
            notes.tell(prim, f"a {kind} beside the rings; only domes, distant lights and rings are read")
            continue
        else:
            continue
        found = True
    if not found:
        return None
    return Lighting(tuple(rings), _rgb(dome.tolist()), tuple(directional), _number(bench, "exposure", 1.0, above=0),
                    _color(bench, "white_balance"), _number(bench, "noise", 0.0), _number(bench, "blur", 0.0))


def _rgb(values: Sequence[float]) -> Rgb:
    return float(values[0]), float(values[1]), float(values[2])


def read_node(prim: Any, notes: Notes, machine: Any = None) -> Node:
    """A machine, or a prim of one, with everything below it."""
    from pxr import Usd

    machine = machine or prim
    shared = ""
    if prim.IsInstance():
        arcs = Usd.PrimCompositionQuery.GetDirectReferences(prim).GetCompositionArcs()
        shared = next((a.GetTargetPrimPath().name for a in arcs if str(a.GetTargetPrimPath()).startswith(f"{MACHINES}/")), "")
        if not shared:
            notes.tell(prim, "an instance of something that is not among the prototypes; left out")
    pieces, children, joint, body = [], [], None, None
    for child in prim.GetFilteredChildren(Usd.PrimIsActive & Usd.PrimIsDefined):
        kind = child.GetTypeName()
        if kind == "Mesh":
            found = piece(child, prim, notes)
            pieces += [found] if found is not None else []
        elif kind in ("PhysicsPrismaticJoint", "PhysicsRevoluteJoint"):
            joint = _joint(child, machine)
        elif kind in ("Xform", "Scope", ""):
            children.append(read_node(child, notes, machine))
        else:
            notes.tell(child, f"a {kind} in a machine; left out")
    if prim.HasAPI("PhysicsRigidBodyAPI"):
        collision = next((str(a.Get()) for c in prim.GetChildren() if (a := c.GetAttribute("physics:approximation"))), "none")
        mass = prim.GetAttribute("physics:mass").Get()
        body = Body(float(mass or 0.0), bool(prim.GetAttribute("physics:kinematicEnabled").Get()),
                    collision if collision in ("convexHull", "boundingCube") else "none")         # type: ignore[arg-type]
    return Node(prim.GetName(), tuple(pieces), tuple(children), local(prim, prim.GetParent()), labels(prim), body, joint, shared)


def _joint(prim: Any, machine: Any) -> Joint:
    kind = "prismatic" if prim.GetTypeName() == "PhysicsPrismaticJoint" else "revolute"
    scale = 1.0 if kind == "prismatic" else math.pi / 180
    lower, upper = (float(prim.GetAttribute(f"physics:{end}Limit").Get() or 0.0) * scale for end in ("lower", "upper"))
    targets = prim.GetRelationship("physics:body0").GetTargets()
    root = str(machine.GetPath())
    to = str(targets[0]).removeprefix(root).lstrip("/") if targets else ""
    return Joint(kind, str(prim.GetAttribute("physics:axis").Get()), lower, upper, to)            # type: ignore[arg-type]


__all__ = ["read_node", "read_place", "stations"]
