"""Where a unit stands in a stage, and what stands around it; poses relative to the board (frame of ``scenes/geometry.py``)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.usd.numbers import finite

F64 = NDArray[np.float64]

# every attribute that may be an operation of a transform, as usdview, Isaac Sim and pxr write them
TRANSFORM = ("xformOpOrder", *(f"xformOp:{op}" for op in (
    "transform", "translate", "orient", "scale", "rotateXYZ", "rotateXZY", "rotateYXZ", "rotateYZX", "rotateZXY", "rotateZYX",
    "rotateX", "rotateY", "rotateZ", "translate:pivot", "scale:unitsResolve", "rotateX:unitsResolve")))
_EXACT = 1e-9                                  # a rotation is one up to this


@dataclass(frozen=True, eq=False)
class Bench:
    """The bench of one station."""
    station: str                               # id
    path: str
    product: str                               # path of the unit's prim
    stage: Any
    to_board: F64                              # world → board, (4, 4)

    def pose(self, path: str) -> F64:
        """Local coordinates of a prim → board, (4, 4) [m]. Raises SceneError for a transform that is not finite."""
        return finite(self.stage.GetPrimAtPath(path), self.to_board @ world(self.stage, path))

    def children(self, *types: str) -> list[Any]:
        """Active prims directly below the bench of one of these types, in their order."""
        return [p for p in self.stage.GetPrimAtPath(self.path).GetChildren() if p.GetTypeName() in types]


def benches(stage: Any) -> dict[str, Bench]:
    """All benches by path, in the order of the line. Those of prims that say no ``twin:id`` are none of ours.

    Raises:
        SceneError: a board's transform cannot be turned back.
    """
    from pxr import Usd

    out = {}
    for prim in Usd.PrimRange(stage.GetPrimAtPath("/World")):
        station = prim.GetAttribute("twin:id")
        path = f"{prim.GetPath()}/Bench"
        if not station or not station.Get() or not stage.GetPrimAtPath(path):
            continue
        product = f"{path}/Product"
        board = product if stage.GetPrimAtPath(product) else path
        pose = finite(stage.GetPrimAtPath(board), world(stage, board), invertible=True)
        out[path] = Bench(str(station.Get()), path, product, stage, np.asarray(np.linalg.inv(pose), np.float64))
    return out


def world(stage: Any, path: str) -> F64:
    """Local coordinates of a prim → world, (4, 4), column matrix. Raises SceneError where it is not finite."""
    from pxr import Usd, UsdGeom

    prim = stage.GetPrimAtPath(path)
    return finite(prim, np.array(UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(Usd.TimeCode.Default()), np.float64).T)


def rigid(pose: F64) -> tuple[F64, bool]:
    """The rotation and place nearest to a matrix, and whether it was one (up to 1e-6: editors write single precision)."""
    u, scale, v = np.linalg.svd(pose[:3, :3])
    out = np.eye(4)
    out[:3, :3] = u @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ v)))]) @ v
    out[:3, 3] = pose[:3, 3]
    exact = bool(np.abs(scale - 1).max() < 1e-6)
    if np.abs(pose[:3, :3] - out[:3, :3]).max() < _EXACT:
        out[:3, :3] = pose[:3, :3]
    return out, exact


def number(value: float) -> float:
    """A single-precision number as the shortest decimal that means it: what somebody wrote."""
    return float(str(np.float32(value)))


def rounded(value: float) -> float:
    """A product of single-precision numbers, to the seven digits that it has."""
    return float(f"{value:.7g}")


__all__ = ["TRANSFORM", "Bench", "benches", "number", "rigid", "rounded", "world"]
