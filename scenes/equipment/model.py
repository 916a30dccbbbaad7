"""What a machine is here: closed bodies with a look, ports where boards enter and leave, joints where something moves.

Machine frame [m]: origin on the floor under the machine's middle, x along the flow of the line, y away from the operator,
z up. A board enters at the port ``in`` (at −x) and leaves at ``out`` (at +x). Everything is self-contained plain data, so that
a picture, a stage or a physics engine needs nothing else.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U32 = NDArray[np.uint32]
F64 = NDArray[np.float64]
Point = tuple[float, float, float]

TRANSPORT = 0.950                              # [m] floor to the underside of a board: IPC-SMEMA-9851 allows 0.940 to 0.965
CONTINUOUS = float("inf")                      # limit of a joint that turns without end


@dataclass(frozen=True, eq=False)
class Shape:
    """All closed surfaces of one look on one body, in the body's frame. Vertices are split where an edge is sharp."""
    look: str                                  # key of ``looks.LOOKS``
    points: F32                                # (V, 3) [m]
    normals: F32                               # (V, 3) unit, outwards
    faces: U32                                 # (F, 3) counter-clockwise seen from outside


@dataclass(frozen=True)
class Joint:
    """How a body moves against what carries it, along or about an axis of the machine frame through the body's origin."""
    kind: Literal["prismatic", "revolute"]
    axis: Literal["x", "y", "z"]
    lower: float                               # [m] or [rad], relative to where the body is drawn; −inf turns without end
    upper: float
    carrier: str = ""                          # name of the body that carries it; "" is the machine's frame


@dataclass(frozen=True, eq=False)
class Body:
    """A rigid part of a machine. One without a joint stands still."""
    name: str                                  # unique in the machine, a valid prim name
    label: str                                 # semantic class: "housing", "window", "gantry", "squeegee", …
    origin: Point                              # [m] of the body's frame in the machine frame; axes are parallel
    shapes: tuple[Shape, ...]
    joint: Joint | None = None
    mass: float = 0.0                          # [kg] volume × density of its looks; 0 where nothing moves


@dataclass(frozen=True)
class Port:
    """Where boards pass: the middle between the rails at the height of the board's underside, machine frame [m]."""
    name: Literal["in", "out"]
    position: Point


@dataclass(frozen=True, eq=False)
class Machine:
    """A machine in its own frame. Equal ``key`` means equal geometry: such machines can share a prototype."""
    kind: str                                  # "printer", "spi", "placement", "reflow", "aoi", "infrared", "axi", "test", …
    key: str                                   # kind and the parameters that it was built from
    title: str                                 # what people call it
    size: Point                                # [m] extent along x, y, z
    bodies: tuple[Body, ...]
    ports: tuple[Port, ...]
    stop: Point = (0.0, 0.0, TRANSPORT)        # [m] middle of the underside of the board that is being worked on
    source: str = "engineering default"        # of the size

    def port(self, name: str) -> Port:
        return next(p for p in self.ports if p.name == name)

    def body(self, name: str) -> Body:
        return next(b for b in self.bodies if b.name == name)

    def bounds(self) -> tuple[F64, F64]:
        """Lower and upper corner of everything in the machine frame [m]."""
        low = np.min([s.points.min(axis=0) + b.origin for b in self.bodies for s in b.shapes], axis=0)
        high = np.max([s.points.max(axis=0) + b.origin for b in self.bodies for s in b.shapes], axis=0)
        return np.asarray(low, np.float64), np.asarray(high, np.float64)


@dataclass(frozen=True, eq=False)
class Placed:
    """A machine in the hall. ``path`` is its ISA-95 id; a station's own, or the line's with the conveyor's name behind it."""
    path: str
    station: str                               # id of the station that it is; "" for conveyors, loaders and free equipment
    machine: Machine
    pose: F64                                  # (4, 4) machine frame → line frame [m]; the line frame's origin is its start
    label: str                                 # semantic class of the whole

    def board_pose(self, box: tuple[float, float, float, float], thickness: float) -> F64:
        """Board frame → machine frame, (4, 4) [m], of a board that stands at the machine's stop.

        Args:
            box: Extent (x0, y0, x1, y1) of the product in the board frame [m]; z = 0 there is the outer copper's top.
            thickness: Of the laminate [m]; its underside lies on the belts.
        """
        x, y, z = self.machine.stop
        pose = np.eye(4)
        pose[:3, 3] = x - (box[0] + box[2]) / 2, y - (box[1] + box[3]) / 2, z + thickness
        return pose


__all__ = ["CONTINUOUS", "F32", "F64", "TRANSPORT", "U32", "Body", "Joint", "Machine", "Placed", "Point", "Port", "Shape"]
