"""The three cubes of NVIDIA's PoseWriter test as our own geometry, from the numbers in that test's calls alone.

    cube          at (0, 0, 0)
    cube_rotated  at (−1, −1, 0), turned by 45° about z
    cube_scaled   at (1, 1, 0), turned by 75° about x and 65° about y, scaled by (1.5, 0.5, 1)

Two pinhole cameras with USD's default lens (focal length 24, aperture 20.955) at (0, 0, 10) and (−4, −4, 8) look at the
origin, 512 × 512. What RTX made of it lies in the wheel: ``tests/data/golden/_out_test_pose_writer_pinhole``.
"""
from __future__ import annotations

import numpy as np
import trimesh

from generators.exports.payload import Prim
from scenes import materials
from scenes.geometry import Coverage, Geometry, Instances, Mesh, PartKind, Slab
from scenes.optics import Camera

CUBES = (("cube", "/World/Cube1", (0, 0, 0), (0, 0, 0), (1, 1, 1)),
         ("cube_rotated", "/World/Cube2", (-1, -1, 0), (0, 0, 45), (1, 1, 1)),
         ("cube_scaled", "/World/Cube3", (1, 1, 0), (75, 65, 0), (1.5, 0.5, 1)))
EYES = {"rp1": (0.0, 0.0, 10.0), "rp2": (-4.0, -4.0, 8.0)}
FIRST = 2
PRIMS = {FIRST + k: Prim(path, {"class": name}) for k, (name, path, *_) in enumerate(CUBES)}


def geometry() -> Geometry:
    """The cubes, and a speck of board far behind the cameras, because a Geometry has one. Its artwork is clear and lies
    under all cubes, and the slab is as thick as they reach down: gl draws what stands on a board."""
    turn, poses = trimesh.transformations.euler_matrix, []
    for _, _, position, degrees, scale in CUBES:
        pose = turn(*np.radians(degrees), axes="sxyz") @ np.diag([*scale, 1.0])      # x first, then y, then z, fixed axes
        pose[:3, 3] = position
        poses.append(pose)
    cube = _mesh("cube", trimesh.creation.box((1, 1, 1)), "resistor_glass", PartKind.BODY)
    group = Instances(cube, np.array(poses), np.arange(FIRST, FIRST + 3, dtype=np.uint32), np.ones((3, 3), np.float32),
                      np.full(3, -1, np.int32))
    speck = trimesh.creation.box((0.01, 0.01, 0.01), trimesh.transformations.translation_matrix((0, 0, 50)))
    slab = Slab(_mesh("slab", speck, "fr4", PartKind.BOARD), Coverage(np.zeros((4, 4, 4), np.uint8), (-4.0, -4.0), 2.0), 2.0)
    return Geometry(slab, (group,))


def camera(product: str) -> Camera:
    """Focal length and aperture are tenths of a metre: the stage's unit is the metre."""
    z = np.asarray(EYES[product]) / np.linalg.norm(EYES[product])
    x = np.cross((0.0, 0.0, 1.0), z) if abs(z[2]) < 1 else np.array([0.0, 1.0, 0.0])     # up is z; looking down, x is world y
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = np.column_stack([x, np.cross(z, x), z]), EYES[product]
    return Camera(product, 512, 512, 2.0955 / 512, pose, 2.4, "perspective", 1.0, 100.0)


def _mesh(name: str, body: trimesh.Trimesh, material: str, part: PartKind) -> Mesh:
    corners = body.vertices[body.faces].reshape(-1, 3)
    count = len(corners)
    return Mesh(name, corners.astype(np.float32), np.repeat(body.face_normals, 3, axis=0).astype(np.float32),
                np.arange(count, dtype=np.uint32).reshape(-1, 3), np.full(count, materials.index(material), np.uint8),
                np.full(count, int(part), np.uint8))
