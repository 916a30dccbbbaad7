"""Assembly and UnitState: a board side as it should be, and one unit as it came out.

Structure of arrays: C components and J joints of one assembly, in a fixed order. Frame: the board frame of the side
that is up [m, rad]. Ids of what can be seen (``Geometry``'s instance ids):

    1                       the board
    2 … 1+C                 components, in assembly order
    2+C … 1+C+J             joints, in assembly order
    2+C+J …                 bridges, then balls, then residues, then scratches, in state order
"""
from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from scenes.board.model import Board, Component
from scenes.materials import TABLE, Material
from scenes.parts.model import JointKind, Package

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
Bool = NDArray[np.bool_]

UPRIGHT, BILLBOARD, FLIPPED = 0, 1, 2          # values of UnitState.orientation


@dataclass(frozen=True, eq=False)
class Joints:
    """One row per soldered terminal, as designed. Directions and land axes are in the board frame."""
    component: I32                             # (J,) index into Assembly.components
    terminal: I32                              # (J,) index into that package's terminals
    kind: tuple[JointKind, ...]                # (J,)
    pad: tuple[str, ...]                       # (J,) pad number
    net: tuple[str, ...]                       # (J,)
    land_center: F64                           # (J, 2) [m]
    land_size: F64                             # (J, 2) [m] along and across the terminal's direction
    land_angle: F64                            # (J,) [rad] terminal's outward direction on the board
    term_center: F64                           # (J, 2) [m] nominal terminal centre
    term_size: F64                             # (J, 2) [m] length along, width across
    term_height: F64                           # (J,) [m]
    aperture_area: F64                         # (J,) [m²] stencil opening, 0 where nothing is printed
    aperture_ratio: F64                        # (J,) [1] opening area / wall area
    nominal_volume: F64                        # (J,) [m³] solder of a healthy joint (balls included)

    def __len__(self) -> int:
        return len(self.component)


@dataclass(frozen=True, eq=False)
class Assembly:
    """One side of a board to be assembled. ``board`` is already turned so that this side is the front."""
    board: Board
    side: str
    components: tuple[Component, ...]          # (C,) placed parts of this side
    packages: tuple[Package, ...]              # (C,)
    position: F64                              # (C, 2) nominal origin [m]
    angle: F64                                 # (C,) nominal angle [rad]
    joints: Joints
    stencil_thickness: float                   # [m]
    fallback_count: int = 0                    # packages drawn as a labelled box
    materials: tuple[Material, ...] = TABLE    # what meshes and solder are made of

    @property
    def component_ids(self) -> NDArray[np.uint32]:
        return np.arange(2, 2 + len(self.components), dtype=np.uint32)

    @property
    def joint_ids(self) -> NDArray[np.uint32]:
        first = 2 + len(self.components)
        return np.arange(first, first + len(self.joints), dtype=np.uint32)


@dataclass(frozen=True, eq=False)
class Bridges:
    """Solder that joins two joints. ``width`` is the neck's width, ``height`` its height [m]."""
    first: I32
    second: I32
    width: F64
    height: F64


@dataclass(frozen=True, eq=False)
class Voids:
    """Spherical voids inside joints. ``center`` is relative to the joint's ball centre [m]."""
    joint: I32
    center: F64                                # (V, 3)
    radius: F64                                # (V,)


@dataclass(frozen=True, eq=False)
class Balls:
    """Loose solder balls on the surface."""
    center: F64                                # (B, 2)
    diameter: F64                              # (B,)


@dataclass(frozen=True, eq=False)
class Residues:
    """Films of flux or dirt: a wobbly ellipse each, made from its own ``shape_seed``."""
    center: F64                                # (R, 2)
    radius: F64                                # (R, 2) semi-axes [m]
    angle: F64                                 # (R,)
    thickness: F64                             # (R,) [m]
    alpha: F64                                 # (R,) stain opacity
    shape_seed: NDArray[np.uint32]             # (R,)


@dataclass(frozen=True, eq=False)
class Scratches:
    """Grooves in the lacquer: gently bent lines."""
    start: F64                                 # (S, 2)
    end: F64                                   # (S, 2)
    bend: F64                                  # (S,) sagitta [m]
    width: F64                                 # (S,)
    depth: F64                                 # (S,)


@dataclass(frozen=True, eq=False)
class UnitState:
    """One unit after reflow: the truth that pictures and labels are made from."""
    # components (C,)
    present: Bool
    offset: F64                                # (C, 2) final pose − nominal [m]
    rotation: F64                              # (C,) final angle − nominal [rad], polarity and wrong feeding included
    lift: F64                                  # (C,) tilt out of the plane [rad]; tombstones stand at up to π/2
    lift_axis: F64                             # (C,) [rad] in the package frame: direction of the end that stays down
    orientation: I32                           # (C,) UPRIGHT, BILLBOARD or FLIPPED
    standoff: F64                              # (C,) [m] seating plane above the lands; of a BGA its underside
    substitute: I32                            # (C,) −1, or index into ``substitutes``: a wrong part sits here
    substitutes: tuple[Package, ...]
    # joints (J,)
    volume: F64                                # (J,) solder [m³], 0 is none
    contact_angle: F64                         # (J,) wetting angle on the termination [rad]
    wetted: Bool                               # (J,) solder touches the termination
    land_wetted: Bool                          # (J,) solder touches the land
    gap: F64                                   # (J,) [m] clearance between terminal and solder (lifted lead, head-in-pillow)
    roughness: F64                             # (J,) surface roughness α [1]
    paste_offset: F64                          # (J, 2) print offset [m]
    bridges: Bridges
    voids: Voids
    balls: Balls
    residues: Residues
    scratches: Scratches
    signals: dict[str, float] = field(default_factory=dict)   # what the process measured on this unit: "spi.volume_mean", …

    def digest(self) -> str:
        """SHA-256 of every array, for replay tests: equal states give equal digests."""
        import hashlib

        sha = hashlib.sha256()

        def feed(name: str, value: object) -> None:
            sha.update(name.encode())
            if isinstance(value, np.ndarray):
                sha.update(np.ascontiguousarray(value).tobytes())
            elif hasattr(value, "__dataclass_fields__"):
                for f in fields(value):  # type: ignore[arg-type]
                    feed(f.name, getattr(value, f.name))
            else:
                sha.update(repr(value).encode())

        for f in fields(self):
            feed(f.name, getattr(self, f.name))
        return sha.hexdigest()


__all__ = ["BILLBOARD", "FLIPPED", "UPRIGHT", "Assembly", "Balls", "Bridges", "Joints", "Residues", "Scratches", "UnitState",
           "Voids"]
