"""Contents: what a stage says, as plain values. Written by ``write``, read again by ``read``; no pxr object leaves this package.

Frames: a unit and its cameras are in the board frame [m] of the side that is up (``scenes/geometry.py``), which is the frame of
their common parent ``Bench``. A ``pose`` is (4, 4) and takes local coordinates to the parent's, as a column matrix.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from scenes.geometry import F32, F64, I32, U8
from scenes.materials import Material
from scenes.optics import Camera, Lighting, Rgb

Labels = Mapping[str, str]                     # taxonomy ("class", "reference", "part", "kind") → one label
Modality = Literal["rgb", "thermal", "xray"]
HEALTHY = "healthy"                            # the variant that is selected in a stage as written


@dataclass(frozen=True, eq=False)
class Piece:
    """Triangles of one material and one kind of part: one ``UsdGeomMesh``. In its parent's frame."""
    name: str                                  # of the prim
    material: str                              # name in ``Contents.materials``
    part: str                                  # PartKind's name in lower case: "body", "lead", …; "" on machines
    points: F32                                # (V, 3) [m]
    normals: F32                               # (V, 3) unit, outwards
    faces: I32                                 # (F, 3) counter-clockwise seen from outside
    st: F32 | None = None                      # (V, 2) texture coordinates, (0, 0) lower left; None: no texture
    color: Rgb | None = None                   # linear; displayColor where a material reads it (films), else None
    opacity: float | None = None               # [1] displayOpacity, the same


@dataclass(frozen=True, eq=False)
class Package:
    """A part's shape, shared by all parts that have it. Origin at the footprint's origin, z = 0 on the seating plane."""
    name: str                                  # of the prototype prim; unique in the stage
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """A placed component: an instanceable reference to its package."""
    reference: str                             # "U3"; the prim's name is ``prim_name`` of it
    package: str
    instance: int                              # label id
    pose: F64
    labels: Labels
    tint: Rgb = (1.0, 1.0, 1.0)                # factor on the linear base colour of the body


@dataclass(frozen=True, eq=False)
class Solid:
    """Everything with one label id that only this unit has: a joint, a bridge, a ball. Prim ``id_<instance>``."""
    instance: int
    pieces: tuple[Piece, ...]
    labels: Labels
    roughness: float = -1.0                    # [1] perceptual, of all of it; −1: the material's


@dataclass(frozen=True, eq=False)
class Film:
    """A residue or scratch on the board's surface. Its piece lies a few µm over the board, so that renderers show it."""
    instance: int
    piece: Piece                               # with ``color`` and ``opacity``
    labels: Labels
    roughness: float                           # [1]
    direction: float = 0.0                     # [rad] of a groove
    edge: float = 0.0                          # [m] over which it fades inside its outline


@dataclass(frozen=True, eq=False)
class Unit:
    """One unit of the product. Ids: 1 is the board."""
    board: tuple[Piece, ...]
    packages: tuple[Package, ...]
    parts: tuple[Part, ...]
    solder: tuple[Solid, ...] = ()
    films: tuple[Film, ...] = ()
    mass: float = 0.0                          # [kg] board and parts, from the densities of the materials

    def package(self, name: str) -> Package:
        """Raises KeyError for a name that no part has."""
        return {p.name: p for p in self.packages}[name]


@dataclass(frozen=True, eq=False)
class Artwork:
    """The board's top as pictures, row 0 at the largest y, over the rectangle ``box`` (x0, y0, x1, y1) [m] of the board."""
    color: U8                                  # (H, W, 3) sRGB
    surface: U8                                # (H, W, 2) metallic, perceptual roughness; linear
    box: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class View:
    """One nominal camera of a station; ``camera.pose`` is in the board frame, which is ``Bench``'s."""
    prim: str                                  # name of the prim: Camera_<name>, of tiles Camera_<name>_<k>
    camera: Camera                             # without sensor, lens and motion: those are not in a stage
    modality: Modality
    spec: str                                  # name of the authored camera that it was cut from
    tile: int = 0


@dataclass(frozen=True)
class Body:
    """UsdPhysics of a prim. ``collision`` "none": it does not collide; else the approximation of its meshes."""
    mass: float                                # [kg]
    kinematic: bool = True
    collision: Literal["none", "convexHull", "boundingCube"] = "none"


@dataclass(frozen=True)
class Joint:
    """How a moving node is held. Limits in [m] or [rad] from the pose that it stands in."""
    kind: Literal["prismatic", "revolute"]
    axis: Literal["X", "Y", "Z"]               # in the node's own frame
    lower: float
    upper: float
    to: str = ""                               # what it slides or turns on: names from the machine down; "": its frame


@dataclass(frozen=True, eq=False)
class Node:
    """One prim of a machine: an Xform with meshes and further nodes below it. ``name`` is unique among its siblings.

    A rigid body may not lie below another one (UsdPhysics); nodes with a ``body`` are siblings, held together by joints.
    """
    name: str
    pieces: tuple[Piece, ...] = ()
    children: tuple[Node, ...] = ()
    pose: F64 = field(default_factory=lambda: np.eye(4))
    labels: Labels = field(default_factory=dict)
    body: Body | None = None
    joint: Joint | None = None                 # needs a body
    prototype: str = ""                        # name of a node in ``Contents.prototypes``; it has no pieces or children then


@dataclass(frozen=True, eq=False)
class Place:
    """A station on the line."""
    id: str                                    # as in the scene
    path: str                                  # ISA-95
    kind: str                                  # "aoi", …
    pose: F64                                  # station → line
    bench: F64                                 # board frame → station; where a unit stands
    views: tuple[View, ...] = ()
    lighting: Lighting | None = None
    machine: Node | None = None                # its own geometry, station frame
    state: str = HEALTHY                       # which variant of the unit stands here

    @property
    def looks(self) -> bool:
        """It has cameras, and so a unit stands on its bench."""
        return bool(self.views)


@dataclass(frozen=True, eq=False)
class Contents:
    """A whole stage."""
    name: str                                  # of the scene
    line: str                                  # ISA-95 path
    places: tuple[Place, ...]
    unit: Unit                                 # the healthy one
    states: tuple[tuple[str, Unit], ...] = ()  # further unit states by variant name; those share the board
    materials: tuple[Material, ...] = ()       # every one that a piece names
    artwork: Artwork | None = None
    equipment: tuple[Node, ...] = ()           # beside the stations: conveyors, CAD files; line frame
    prototypes: tuple[Node, ...] = ()          # shared by machines, see ``Node.prototype``
    version: int = 1                           # of this layout
    notes: tuple[str, ...] = ()                # on reading: what was not understood, one line each


__all__ = ["HEALTHY", "Artwork", "Body", "Contents", "Film", "Joint", "Labels", "Material", "Modality", "Node", "Package", "Part",
           "Piece", "Place", "Solid", "Unit", "View"]
