"""Geometry: what there is to see, as plain arrays. Made by a product family, drawn by any renderer.

Frame: the board frame of the side that is up [m]: x right, y up, z towards the camera, z = 0 on the outer copper's top.
A renderer needs to know nothing else: not what a resistor is, nor what a defect is.

Three ways of being drawn, by what is cheap:

* ``Instances``: one mesh, many poses (packages).
* ``Soup``: triangles that are unique to this unit (solder joints, bridges, balls), ids per vertex.
* ``Decal``: a film or a groove on the board's surface (residue, scratch), blended over the artwork.

The board itself is a ``Slab`` with ``Coverage`` textures. Every closed body is watertight, so that X-ray path lengths
can be summed over signed depths.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from scenes.materials import TABLE, Material

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]


class PartKind(IntEnum):
    """Values of the ``part`` buffer."""
    BACKGROUND = 0
    BOARD = 1          # lacquer, laminate, silkscreen
    PAD = 2            # exposed copper finish
    BODY = 3
    LEAD = 4           # leads and terminations
    JOINT = 5          # solder between lead and pad
    BALL = 6           # a loose solder ball
    BRIDGE = 7
    RESIDUE = 8
    SCRATCH = 9
    PASTE = 10         # reflowed solder on a land without its part


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh in its own frame: origin at the footprint's origin, z = 0 on the seating plane [m].

    Vertices are split where normal, material or part changes, so every attribute is per vertex. ``material`` indexes
    ``Geometry.materials``. ``marking`` is the rectangle (x0, y0, x1, y1) on the body's top that carries its mark.
    """
    name: str
    vertices: F32                              # (V, 3) [m]
    normals: F32                               # (V, 3) unit, outwards
    faces: U32                                 # (F, 3) counter-clockwise seen from outside
    material: U8                               # (V,)
    part: U8                                   # (V,) PartKind
    marking: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, eq=False)
class Instances:
    """One mesh at N poses."""
    mesh: Mesh
    pose: F64                                  # (N, 4, 4) mesh frame → board frame
    instance: U32                              # (N,) label ids
    tint: F32                                  # (N, 3) factor on the linear base colour of PartKind.BODY
    marking: I32                               # (N,) index into Geometry.markings, −1 for none


@dataclass(frozen=True, eq=False)
class Soup:
    """Triangles drawn once, in the board frame. Connected bodies may share one buffer; each is closed."""
    vertices: F32                              # (V, 3)
    normals: F32                               # (V, 3)
    faces: U32                                 # (F, 3)
    material: U8                               # (V,)
    part: U8                                   # (V,)
    instance: U32                              # (V,)
    roughness: F32                             # (V,) perceptual (α = its square); overrides the material's where ≥ 0

    @staticmethod
    def empty() -> Soup:
        return Soup(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint32),
                    np.zeros(0, np.uint8), np.zeros(0, np.uint8), np.zeros(0, np.uint32), np.zeros(0, np.float32))


def merge(soups: list[Soup]) -> Soup:
    """One soup out of several, faces renumbered."""
    soups = [s for s in soups if len(s.vertices)]
    if not soups:
        return Soup.empty()
    start = np.cumsum([0, *[len(s.vertices) for s in soups[:-1]]])

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(s, name) for s in soups])

    faces = np.concatenate([s.faces + np.uint32(o) for s, o in zip(soups, start, strict=True)])
    return Soup(joined("vertices"), joined("normals"), faces, joined("material"), joined("part"), joined("instance"),
                joined("roughness"))


@dataclass(frozen=True, eq=False)
class Decal:
    """A film or groove that follows the board's surface inside ``outline``; the artwork below shines through ``alpha``."""
    outline: BaseGeometry                      # shapely polygon, board frame [m]
    instance: int
    part: PartKind                             # RESIDUE or SCRATCH
    color: tuple[float, float, float]          # linear RGB
    alpha: float                               # [1] 0 clear … 1 opaque
    roughness: float                           # [1] of the covered surface
    direction: float = 0.0                     # [rad] of a groove, for its anisotropic highlight
    edge: float = 0.0                          # [m] over which alpha fades to 0 inside the outline


@dataclass(frozen=True, eq=False)
class Coverage:
    """The artwork of the side that is up, as area coverage per texel.

    ``texels`` is uint8 (H, W, 4), row 0 at the largest y: R copper, G mask *opening*, B silkscreen, A laminate (0 where
    there is a hole, a cut-out or no board). 255 is fully covered. ``origin`` is the lower left corner [m].
    """
    texels: U8
    origin: tuple[float, float]
    texel_size: float                          # [m]


@dataclass(frozen=True, eq=False)
class Buried:
    """What only X-rays see of a board: the copper layers below the front, and the holes with their plating.

    ``texels`` is uint8 (L, H, W) area coverage of each layer, row 0 at the largest y; ``origin`` the lower left corner [m].
    ``holes`` (N, 7): x, y, radius, half a slot's run along x and along y (0 in round holes), plating thickness (0 is bare)
    [m], and 1 where the slab's mesh is open there, 0 where it is not. ``cutouts`` is what the slab lacks of its bounding box,
    as closed prisms: for a whole picture of laminate it is little.
    """
    texels: U8
    origin: tuple[float, float]
    texel_size: float                          # [m]
    height: F64                                # (L,) [m] of each layer's middle, below 0
    thickness: F64                             # (L,) [m]
    holes: F64
    box: tuple[float, float, float, float]     # x0, y0, x1, y1 of the slab [m]
    cutouts: Mesh


@dataclass(frozen=True, eq=False)
class Slab:
    """The laminate: a closed mesh with its cut-outs (top at z = 0, bottom at −thickness), and the artwork on its top."""
    mesh: Mesh
    coverage: Coverage
    thickness: float                           # [m]
    copper_thickness: float = 35e-6            # [m] step height under the lacquer
    buried: Buried | None = None               # None: X-rays find bare laminate under the front copper


@dataclass(frozen=True, eq=False)
class Voids:
    """Gas in solder: spheres of nothing, inside bodies of the soup. Only X-rays see them."""
    center: F64                                # (V, 3) [m]
    radius: F64                                # (V,) [m]
    instance: U32                              # (V,) label id of the body that each one is in


@dataclass(frozen=True, eq=False)
class Geometry:
    """Everything that one unit shows. Ids: 0 is background, 1 the board; the rest are the family's, stable per product."""
    slab: Slab
    instances: tuple[Instances, ...] = ()
    soup: Soup = field(default_factory=Soup.empty)
    decals: tuple[Decal, ...] = ()
    markings: tuple[U8, ...] = ()              # (h, w) ink coverage, row 0 at the top
    voids: Voids | None = None
    materials: tuple[Material, ...] = TABLE    # what ``material`` of meshes and solder indexes; a scene's edits may change it


BOARD_ID = 1

__all__ = ["BOARD_ID", "Buried", "Coverage", "Decal", "Geometry", "Instances", "Mesh", "PartKind", "Slab", "Soup", "Voids",
           "merge"]
