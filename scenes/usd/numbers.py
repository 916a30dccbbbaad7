"""Numbers of a stage, checked: a stage may come from anywhere, and a focal length of 0 or a width that is a text must be told."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import SceneError
from scenes.yaml_file import shown

LEAST = 1e-12                                  # [1] a matrix of a smaller determinant flattens everything
MOST = 1e9                                     # [m], [1] no place and no scale is larger


def number_in(prim: Any, name: str, *, above: float | None = None) -> float:
    """The number in an attribute. Raises SceneError where there is none, it is not finite, or not above ``above``."""
    found = prim.GetAttribute(name).Get() if prim.HasAttribute(name) else None
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found) or (
            above is not None and found <= above):
        raise _told(prim, name, found, "a number" if above is None else f"a number above {above:g}")
    return float(found)


def count_in(prim: Any, name: str, *, least: int = 1) -> int:
    """The whole number in an attribute. Raises SceneError where there is none, or it is below ``least``."""
    found = prim.GetAttribute(name).Get() if prim.HasAttribute(name) else None
    if isinstance(found, bool) or not isinstance(found, int) or found < least:
        raise _told(prim, name, found, f"a whole number from {least} on")
    return found


def numbers_in(prim: Any, name: str, count: int) -> tuple[float, ...]:
    """The vector in an attribute. Raises SceneError where there is none, of another length, or not finite."""
    found = prim.GetAttribute(name).Get() if prim.HasAttribute(name) else None
    try:
        values = tuple(float(v) for v in found)                # type: ignore[union-attr]
    except (TypeError, ValueError):
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        raise _told(prim, name, found, f"{count} numbers")
    return values


def word_in(prim: Any, name: str, known: Sequence[str]) -> str:
    """The token in an attribute. Raises SceneError where it is none of ``known``."""
    found = prim.GetAttribute(name).Get() if prim.HasAttribute(name) else None
    if found not in known:
        raise _told(prim, name, found, " or ".join(known))
    return str(found)


def finite(prim: Any, pose: NDArray[np.float64], *, invertible: bool = False) -> NDArray[np.float64]:
    """The transform of a prim as it is. Raises SceneError where it is not finite, or flattens what must be turned back."""
    if not (np.abs(pose) < MOST).all():
        raise SceneError(f"{prim.GetPath()}: xformOp: its transform holds numbers that are not finite or beyond {MOST:g}; set it "
                         "again")
    if invertible and abs(np.linalg.det(pose[:3, :3])) < LEAST:
        raise SceneError(f"{prim.GetPath()}: xformOp: its transform scales everything to nothing; remove the scale")
    return pose


def _told(prim: Any, name: str, found: Any, wanted: str) -> SceneError:
    return SceneError(f"{prim.GetPath()}: {name} is {'not there' if found is None else shown(found)}; set it to {wanted}")


__all__ = ["count_in", "finite", "number_in", "numbers_in", "word_in"]
