"""Reading stations: places, cameras, lamps; and machines as trees of nodes."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scenes.optics import Camera, Directional, Lighting, Rgb, Ring
from scenes.usd.contents import Body, Joint, Node, Place, View
from scenes.usd.names import MACHINES
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
    width, height = twin(prim, "width"), twin(prim, "height")
    if width is None or height is None or width < 1 or height < 1:
        notes.tell(prim, "no twin:width and twin:height; not a camera of the twin, left out")
        return None
    telecentric = lens.GetProjectionAttr().Get() == UsdGeom.Tokens.orthographic
    distance = _kept(float(lens.GetFocusDistanceAttr().Get()), twin(prim, "distance"))
    across, up = (float(a.Get()) * tenth for a in (lens.GetHorizontalApertureAttr(), lens.GetVerticalApertureAttr()))
    scale = 1.0 if telecentric else distance / (float(lens.GetFocalLengthAttr().Get()) * tenth)
    pixel = _kept(across * scale / width, twin(prim, "pixel_size"))
    if not math.isclose(up / height, across / width, rel_tol=1e-5):
        notes.tell(prim, "its pixels are not square; the width counts")
    if lens.GetHorizontalApertureOffsetAttr().Get() or lens.GetVerticalApertureOffsetAttr().Get():
        notes.tell(prim, "has an aperture offset, which is left out")
    pose = local(prim, bench)
    turn = pose[:3, :3]
    if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-6) or np.linalg.det(turn) < 0:
        notes.tell(prim, "its matrix scales, shears or mirrors; a camera only turns")
    near, far = (float(v) for v in lens.GetClippingRangeAttr().Get())
    name = str(twin(prim, "name", prim.GetName().removeprefix("Camera_")))
    camera = Camera(name, int(width), int(height), pixel, pose, distance, "telecentric" if telecentric else "perspective",
                    near, far)
    modality = str(twin(prim, "modality", "rgb"))
    if modality not in ("rgb", "thermal", "xray"):
        notes.tell(prim, f"twin:modality '{modality}' is not rgb, thermal or xray; taken as rgb")
        modality = "rgb"
    return View(prim.GetName(), camera, modality, str(twin(prim, "spec", name)), int(twin(prim, "tile", 0)))   # type: ignore[arg-type]


def _kept(seen: float, told: float | None) -> float:
    return float(told) if told is not None and math.isclose(seen, told, rel_tol=FLOAT32) else seen


def _lighting(bench: Any, notes: Notes) -> Lighting | None:
    """The lamps of a bench, as the writer's layout has them; others are told."""
    dome, directional, rings, found = np.zeros(3), [], [], twin(bench, "exposure") is not None
    for prim in bench.GetChildren():
        kind = prim.GetTypeName()
        if twin(prim, "zenith_deg") is not None:
            low, high = (math.radians(v) for v in twin(prim, "zenith_deg"))
            rings.append(Ring(low, high, _rgb(twin(prim, "radiance", (1.0, 1.0, 1.0)))))
        elif kind == "DomeLight":
            dome += _power(prim)
            if prim.GetAttribute("inputs:texture:file").Get():
                notes.tell(prim, "its texture is left out; it shines evenly")
        elif kind == "DistantLight":
            pose, shadows = local(prim, bench), prim.GetAttribute("inputs:shadow:enable").Get()
            direction = pose[:3, 2] / np.linalg.norm(pose[:3, 2])
            power = _power(prim) / math.pi
            directional.append(Directional((float(direction[0]), float(direction[1]), float(direction[2])), _rgb(power),
                                           True if shadows is None else bool(shadows)))
        elif kind.endswith("Light"):
            notes.tell(prim, f"a {kind} beside the rings; only domes, distant lights and rings are read")
            continue
        else:
            continue
        found = True
    if not found:
        return None
    return Lighting(tuple(rings), _rgb(dome.tolist()), tuple(directional), float(twin(bench, "exposure", 1.0)),
                    _rgb(twin(bench, "white_balance", (1.0, 1.0, 1.0))), float(twin(bench, "noise", 0.0)),
                    float(twin(bench, "blur", 0.0)))


def _power(prim: Any) -> Any:
    """Colour × intensity × 2^exposure of a light."""
    color = prim.GetAttribute("inputs:color").Get() or (1.0, 1.0, 1.0)
    intensity, stops = (prim.GetAttribute(f"inputs:{name}").Get() for name in ("intensity", "exposure"))
    return np.asarray(color, float) * (1.0 if intensity is None else float(intensity)) * 2.0 ** float(stops or 0.0)


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
