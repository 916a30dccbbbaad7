"""A line's machines as nodes of a stage: bodies with joints below each station's Machine, what repeats as shared prototypes."""
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from scenes.equipment import LOOKS, Machine, Placed, board_of, line_layout
from scenes.equipment import Body as MachineBody
from scenes.materials import Material
from scenes.scene import Scene
from scenes.usd.contents import Body, Joint, Node, Piece
from scenes.usd.names import prim_name, unused


@dataclass(frozen=True, eq=False)
class Furniture:
    """What ``contents_of`` takes of a line's machines, by its parameters' names."""
    places: dict[str, NDArray[np.float64]]     # station id → its pose on the line
    benches: dict[str, NDArray[np.float64]]    # station id → board frame → station
    machines: dict[str, Node]
    equipment: tuple[Node, ...]                # conveyors, loaders, authored machines that are no station
    prototypes: tuple[Node, ...]
    materials: tuple[Material, ...]


def furnish(scene: Scene, box: tuple[float, float, float, float], thickness: float) -> Furniture:
    """The machines of a scene for its stage. Equal arguments give equal bytes.

    Args:
        scene: Gives stations, their instruments and authored equipment.
        box: Extent (x0, y0, x1, y1) of the product in the board frame [m]: rails are set to it.
        thickness: Of its laminate [m]: its underside lies on the belts.
    """
    placed = line_layout(scene, board_of(box, thickness))
    shared = _Shared(placed)
    free = [p for p in placed if not p.station]
    names: list[str] = []                      # a station may be called unloader, a robot loader
    for p in free:
        names.append(unused(prim_name(p.path.rsplit("/", 1)[-1]), names))
    return Furniture(
        {p.station: p.pose for p in placed if p.station},
        {p.station: p.board_pose(box, thickness) for p in placed if p.station},
        {p.station: _machine(p.machine, "Machine", p.label, shared) for p in placed if p.station},
        tuple(_machine(p.machine, name, p.label, shared, p.pose) for p, name in zip(free, names, strict=True)),
        tuple(shared.nodes[key] for key in shared.order),
        tuple(LOOKS[name].material() for name in sorted({s.look for p in placed for b in p.machine.bodies for s in b.shapes})))


def _machine(machine: Machine, name: str, label: str, shared: _Shared, pose: NDArray[np.float64] | None = None) -> Node:
    """A machine's prim: one child per body, side by side, since no rigid body may lie below another."""
    children = tuple(_body(body, shared) for body in machine.bodies)
    return Node(name, (), children, np.eye(4) if pose is None else pose, {"class": label})


def _body(body: MachineBody, shared: _Shared) -> Node:
    pose = np.eye(4)
    pose[:3, 3] = body.origin
    labels = {"class": body.label}
    prototype = shared.name(body)
    # the instance is a prim of its own, because what lies below an instance is the prototype's: a joint would be lost
    children = (Node("Shape", prototype=prototype),) if prototype else ()
    pieces = () if prototype else _pieces(body)
    if body.joint is None:
        return Node(body.name, pieces, children, pose, labels)
    axis = cast(Literal["X", "Y", "Z"], body.joint.axis.upper())
    joint = Joint(body.joint.kind, axis, body.joint.lower, body.joint.upper, body.joint.carrier)
    return Node(body.name, pieces, children, pose, labels, Body(body.mass), joint)


def _pieces(body: MachineBody) -> tuple[Piece, ...]:
    return tuple(Piece(prim_name(s.look), f"equipment_{s.look}", "", s.points, s.normals, s.faces.astype(np.int32))
                 for s in body.shapes)


class _Shared:
    """Bodies that occur more than once in the line, by their bytes: reels, nozzles, pulleys, all of two equal machines."""

    def __init__(self, placed: Sequence[Placed]) -> None:
        self.nodes: dict[bytes, Node] = {}
        self.order: list[bytes] = []
        self._key: dict[int, bytes] = {}
        self._held = [b for p in placed for b in p.machine.bodies]     # held, so that an id stays its own
        count = Counter(self._digest(b) for b in self._held)
        taken: set[str] = set()
        for p in placed:
            for body in p.machine.bodies:
                key = self._digest(body)
                if count[key] > 1 and key not in self.nodes:
                    name = unused(prim_name(f"{p.machine.kind}_{body.name}"), taken)
                    taken.add(name)
                    self.nodes[key] = Node(name, _pieces(body))
                    self.order.append(key)

    def name(self, body: MachineBody) -> str:
        node = self.nodes.get(self._digest(body))
        return node.name if node is not None else ""

    def _digest(self, body: MachineBody) -> bytes:
        if id(body) not in self._key:
            sha = hashlib.sha256()
            for shape in body.shapes:
                sha.update(shape.look.encode())
                for array in (shape.points, shape.normals, shape.faces):
                    sha.update(np.ascontiguousarray(array).tobytes())
            self._key[id(body)] = sha.digest()
        return self._key[id(body)]


__all__ = ["Furniture", "furnish"]
