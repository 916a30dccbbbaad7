"""Whether two contents say the same, to what a stage keeps: doubles to 1e-9, single-precision values to 1e-6, relative."""
from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

DOUBLE, SINGLE = 1e-9, 1e-6
# fields of plain numbers that a stage keeps in single precision: the schemas' own attributes
_SINGLE = {"near", "far", "dome", "irradiance", "base_color", "metallic", "roughness", "color", "opacity", "mass", "lower",
           "upper"}
_SKIPPED = {"notes"}


def differences(a: Any, b: Any, most: int = 20) -> tuple[str, ...]:
    """Where two values of ``contents`` differ: at most ``most`` lines such as ``unit.parts[3].pose: off by 1.2e-4``."""
    found = []
    for line in _walk(a, b, "", DOUBLE):
        found.append(line)
        if len(found) == most:
            break
    return tuple(found)


def _walk(a: Any, b: Any, where: str, tolerance: float) -> Iterator[str]:
    if a is b:
        return
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        yield from _arrays(a, b, where)
    elif dataclasses.is_dataclass(a) and type(a) is type(b):
        for field in dataclasses.fields(a):
            if field.name not in _SKIPPED:
                limit = SINGLE if field.name in _SINGLE else tolerance
                yield from _walk(getattr(a, field.name), getattr(b, field.name), f"{where}.{field.name}".lstrip("."), limit)
    elif isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        if len(a) != len(b):
            yield f"{where}: {len(a)} and {len(b)} of them"
            return
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _walk(x, y, f"{where}[{k}]", tolerance)
    elif isinstance(a, Mapping) and isinstance(b, Mapping):
        if dict(a) != dict(b):
            yield f"{where}: {dict(a)} and {dict(b)}"
    elif isinstance(a, float) or isinstance(b, float):
        if a is None or b is None or not ((math.isnan(a) and math.isnan(b))
                                          or math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-15)):
            yield f"{where}: {a} and {b}"
    elif a != b:
        yield f"{where}: {str(a)[:60]!r} and {str(b)[:60]!r}"


def _arrays(a: Any, b: Any, where: str) -> Iterator[str]:
    """Relative to the largest value: a coordinate near 0 is as good as its neighbours."""
    if a is None or b is None or a.shape != b.shape:
        yield f"{where}: {getattr(a, 'shape', None)} and {getattr(b, 'shape', None)}"
        return
    if a.dtype.kind in "ui" or not a.size:
        if not np.array_equal(a, b):
            yield f"{where}: {int((a != b).sum())} values"
        return
    limit = SINGLE if np.float32 in (a.dtype, b.dtype) else DOUBLE
    off = float(np.abs(a.astype(np.float64) - b).max())
    if not off <= limit * max(float(np.abs(a).max()), 1e-30):
        yield f"{where}: off by {off:.3g}"


__all__ = ["differences"]
