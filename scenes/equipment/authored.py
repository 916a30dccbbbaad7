"""Machines that the scene brings as CAD files: one with a station's id stands in for that station's own, others stand freely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scenes.equipment.furniture import Board, lane
from scenes.equipment.model import TRANSPORT, Body, Machine, Placed, Port, Shape
from scenes.errors import AssetError
from scenes.parts.solids import split_normals

if TYPE_CHECKING:
    from scenes.scene import Equipment, Scene, Station

LARGEST = 50.0  # [m] of a machine: what is larger was exported in other units
LOOK = "paint_light"


def stand_in(scene: Scene, station: Station, board: Board) -> Machine | None:
    """The authored machine of a station, its middle moved to the machine frame's origin; None where there is none."""
    found = [e for e in scene.equipment if e.id == station.id]
    if not found:
        return None
    points, faces = _mesh(scene, found[0])
    low, high = points.min(axis=0), points.max(axis=0)
    points = points - np.array([(low[0] + high[0]) / 2, 0.0, 0.0])
    size = high - low
    half = float(size[0]) / 2
    ports = (Port("in", (-half, lane(board), TRANSPORT)), Port("out", (half, lane(board), TRANSPORT)))
    return Machine(
        station.kind,
        f"authored {found[0].id}",
        station.id,
        (float(size[0]), float(size[1]), float(high[2])),
        (_body(points, faces),),
        ports,
        (0.0, lane(board), TRANSPORT),
        found[0].model.name,
    )


def free_equipment(scene: Scene) -> tuple[Placed, ...]:
    """Equipment that is no station's: a robot, a rack, a desk; where its entry puts it in the line frame."""
    taken = {s.id for s in scene.stations}
    out = []
    for item in scene.equipment:
        if item.id in taken:
            continue
        points, faces = _mesh(scene, item)
        size = points.max(axis=0) - points.min(axis=0)
        machine = Machine(
            "equipment",
            f"authored {item.id}",
            item.id,
            (float(size[0]), float(size[1]), float(size[2])),
            (_body(points, faces),),
            (),
            source=item.model.name,
        )
        out.append(Placed(f"{scene.line}/{item.id}", "", machine, np.eye(4), "equipment"))
    return tuple(out)


def _mesh(scene: Scene, item: Equipment) -> tuple[Any, Any]:
    """Points in the line frame (of a station's: in the machine frame) and faces. Raises AssetError."""
    import trimesh

    from scenes.cad import load_mesh, load_urdf

    roots = (
        (scene.path.parent, item.model.parent) if item.model.is_relative_to(scene.path.parent.resolve()) else (scene.path.parent,)
    )
    mesh = load_urdf(item.model, roots) if item.model.suffix.lower() == ".urdf" else load_mesh(item.model, roots)
    a, b, c = item.rotation
    pose = trimesh.transformations.euler_matrix(a, b, c, "sxyz")
    pose[:3, 3] = item.position
    points = trimesh.transformations.transform_points(np.asarray(mesh.vertices, float), pose)
    extent = float((points.max(axis=0) - points.min(axis=0)).max())
    if extent > LARGEST:
        raise AssetError(f"{item.model}: {extent:.0f} m large; export it in metres (glTF, URDF) or with its unit (STEP)")
    return points, np.asarray(mesh.faces, np.int64)


def _body(points: Any, faces: Any) -> Body:
    vertices, normals, index = split_normals(points, faces)
    return Body(
        "housing",
        "housing",
        (0.0, 0.0, 0.0),
        (Shape(LOOK, vertices.astype(np.float32), normals.astype(np.float32), index.astype(np.uint32)),),
    )


__all__ = ["free_equipment", "stand_in"]
