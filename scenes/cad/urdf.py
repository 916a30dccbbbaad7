"""URDF → one mesh of the machine in its zero position. Plain XML, read without a parser that resolves entities.

Read: links' visual geometry (box, cylinder, sphere, mesh with scale), origins, joints of every kind at zero. Not read:
collision, inertia, materials, ``xacro``. Lengths are metres and angles radians by the format's definition.
"""
from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from scenes.cad.mesh import load_mesh
from scenes.cad.roots import read_bytes
from scenes.errors import AssetError

if TYPE_CHECKING:
    import trimesh

MAX_XML = 8 * 2 ** 20
MAX_LINKS = 10_000


def load_urdf(path: str | Path, roots: Sequence[str | Path]) -> trimesh.Trimesh:
    """The visual geometry of a URDF robot, all joints at zero, in the frame of its root link [m].

    Args:
        path: A .urdf file.
        roots: Folders; the file and the meshes that it names (``package://`` by path below a root) must lie inside one.

    Raises:
        AssetError: outside the roots, missing, not XML, or a robot that does not hang together.
    """
    import trimesh

    robot = _parse(path, read_bytes(path, roots, MAX_XML))
    parts = []
    for name, pose in _poses(path, robot).items():
        link = next(item for item in robot.findall("link") if item.get("name") == name)
        for visual in link.findall("visual"):
            mesh = _geometry(path, visual, name, roots)
            mesh.apply_transform(pose @ _origin(path, visual))
            parts.append(mesh)
    if not parts:
        raise AssetError(f"{path}: no link has a <visual>; nothing could be seen of this machine")
    return cast("trimesh.Trimesh", trimesh.util.concatenate(parts))


def urdf_meshes(path: str | Path, roots: Sequence[str | Path]) -> list[tuple[str, Path]]:
    """The mesh files that a URDF shows: (as it writes them, where they are). Raises AssetError as ``load_urdf``."""
    robot = _parse(path, read_bytes(path, roots, MAX_XML))
    names = [(link.get("name", ""), mesh.get("filename", "")) for link in robot.findall("link")
             for mesh in link.findall("visual/geometry/mesh")]
    return [(name, _mesh_path(path, name, link, roots)) for link, name in names]


def _parse(path: str | Path, data: bytes) -> ET.Element:
    # A document type is where entity bombs live; URDF has no use for one.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise AssetError(f"{path}: declares a document type or entities; remove them, URDF needs none")
    try:
        robot = ET.fromstring(data)            # noqa: S314 - no document type, bounded size
    except ET.ParseError as error:
        line = error.position[0] if error.position else 0
        raise AssetError(f"{path}:{line}: not well-formed XML; check the file") from None
    if robot.tag != "robot":
        raise AssetError(f"{path}: the root element is <{robot.tag}>; a URDF starts with <robot> (run xacro first)")
    if len(robot.findall("link")) > MAX_LINKS:
        raise AssetError(f"{path}: more than {MAX_LINKS} links; split the machine")
    return robot


def _poses(path: str | Path, robot: ET.Element) -> dict[str, NDArray[np.float64]]:
    """Link name → pose in the root link's frame, (4, 4)."""
    names = [link.get("name", "") for link in robot.findall("link")]
    parent: dict[str, tuple[str, NDArray[np.float64]]] = {}
    for joint in robot.findall("joint"):
        above, below = (_attribute(path, joint, tag, "link") for tag in ("parent", "child"))
        for name in (above, below):
            if name not in names:
                raise AssetError(f"{path}: joint '{joint.get('name')}' names link '{name}', which is not there")
        parent[below] = above, _origin(path, joint)
    poses: dict[str, NDArray[np.float64]] = {}
    for name in names:
        chain, at = np.eye(4), name
        for _ in range(len(names)):
            if at not in parent:
                break
            at, step = parent[at]
            chain = step @ chain
        else:
            raise AssetError(f"{path}: the joints above link '{name}' form a loop; a URDF is a tree")
        poses[name] = chain
    return poses


def _attribute(path: str | Path, element: ET.Element, tag: str, key: str) -> str:
    child = element.find(tag)
    value = child.get(key) if child is not None else None
    if value is None:
        raise AssetError(f"{path}: <{element.tag} name='{element.get('name')}'> has no <{tag} {key}=…>; add it")
    return value


def _numbers(path: str | Path, text: str, count: int) -> NDArray[np.float64]:
    try:
        values = np.array([float(v) for v in text.split()])
    except ValueError:
        values = np.empty(0)
    if len(values) != count or not np.isfinite(values).all():
        raise AssetError(f"{path}: '{text[:40]}' should be {count} numbers; correct it")
    return values


def _origin(path: str | Path, element: ET.Element) -> NDArray[np.float64]:
    """<origin xyz rpy> as a matrix: fixed-axis roll, pitch, yaw."""
    import trimesh

    origin = element.find("origin")
    if origin is None:
        return np.eye(4)
    roll, pitch, yaw = _numbers(path, origin.get("rpy", "0 0 0"), 3)
    pose: NDArray[np.float64] = trimesh.transformations.euler_matrix(roll, pitch, yaw, "sxyz")
    pose[:3, 3] = _numbers(path, origin.get("xyz", "0 0 0"), 3)
    return pose


def _geometry(path: str | Path, visual: ET.Element, link: str, roots: Sequence[str | Path]) -> trimesh.Trimesh:
    import trimesh

    holder = visual.find("geometry")
    shape = next(iter(holder), None) if holder is not None else None
    if shape is None:
        raise AssetError(f"{path}: link '{link}': <visual> without <geometry>; add one")
    if shape.tag == "box":
        return trimesh.creation.box(_numbers(path, shape.get("size", ""), 3))
    if shape.tag == "cylinder":
        radius, length = (_numbers(path, shape.get(k, ""), 1)[0] for k in ("radius", "length"))
        return trimesh.creation.cylinder(radius, length, sections=48)
    if shape.tag == "sphere":
        return trimesh.creation.icosphere(3, _numbers(path, shape.get("radius", ""), 1)[0])
    if shape.tag == "mesh":
        mesh = load_mesh(_mesh_path(path, shape.get("filename", ""), link, roots), roots)
        mesh.apply_scale(_numbers(path, shape.get("scale", "1 1 1"), 3))
        return mesh
    raise AssetError(f"{path}: link '{link}': geometry <{shape.tag}> is not known; use box, cylinder, sphere or mesh")


def _mesh_path(path: str | Path, name: str, link: str, roots: Sequence[str | Path]) -> Path:
    """A mesh's file: relative to the URDF, or ``package://NAME/…`` below one of the roots (or a folder NAME in it)."""
    if "://" not in name:
        return Path(path).parent / name
    scheme, rest = name.split("://", 1)
    if scheme == "file":
        return Path(rest)
    if scheme == "package":
        inner = rest.split("/", 1)[-1]
        for root in roots:
            for candidate in (Path(root) / rest, Path(root) / inner):
                if candidate.is_file():
                    return candidate
    raise AssetError(f"{path}: link '{link}': mesh '{name}' is not found; give a path relative to the URDF file")


__all__ = ["load_urdf", "urdf_meshes"]
