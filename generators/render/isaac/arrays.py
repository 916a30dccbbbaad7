"""Arrays in the shared folder: written for the worker, and read from it as from a stranger."""
from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.encoding import read_npy
from scenes.errors import BackendError, StorageError

LAYOUT: dict[str, tuple[str, tuple[int, ...]]] = {     # buffer → numpy type, what its shape has after (height, width)
    "rgb": ("|u1", (3,)), "depth": ("<f4", ()), "normal": ("<f4", (3,)), "instance": ("<u4", ()), "part": ("<u2", ())}
HEADER_MOST = 1024                             # [bytes] before the data of a .npy file


def saved(arrays: Mapping[str, NDArray[Any]], shared: Path, stem: str) -> dict[str, str]:
    """Write arrays; gives name → file name. Raises StorageError."""
    out = {}
    for name, array in arrays.items():
        out[name] = f"{stem}-{name}.npy"
        try:
            np.save(shared / out[name], array, allow_pickle=False)
        except OSError as error:
            raise StorageError(f"{shared}: cannot be written ({error.strerror}); free space there, or set TMPDIR") from None
    return out


def taken(files: Mapping[str, str], shared: Path, buffers: Collection[str], size: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """Read the buffers of a capture, and delete their files.

    Args:
        size: (height, width) that was asked for.

    Raises:
        BackendError: a buffer is missing, or a file is not what the protocol says.
    """
    if set(files) != set(buffers):
        raise BackendError(f"renderer 'isaac': capture gave {', '.join(sorted(files)) or 'nothing'} instead of "
                           f"{', '.join(sorted(buffers))}; host and worker are not of one version")
    out = {}
    for name, file in files.items():
        kind, more = LAYOUT[name]
        try:
            out[name] = _read(shared / file, np.dtype(kind), (*size, *more))
        except (OSError, ValueError) as error:
            raise BackendError(f"renderer 'isaac': capture: {file}: {error}; see the worker's log") from None
        (shared / file).unlink(missing_ok=True)
    return out


def _read(path: Path, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """One array of exactly this type and shape; nothing larger is even read."""
    array = read_npy(path, math.prod(shape) * kind.itemsize + HEADER_MOST)
    if array.dtype != kind or array.shape != shape:
        raise ValueError(f"{array.dtype} {array.shape} instead of {kind} {shape}")
    return np.ascontiguousarray(array)


__all__ = ["LAYOUT", "saved", "taken"]
