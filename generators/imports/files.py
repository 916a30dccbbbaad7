"""Files that somebody else wrote: listed without following links, read within bounds, never executed.

Nothing outside the folder is opened: links are refused, and every path comes from the listing.
"""
from __future__ import annotations

import io
import json
import math
import os
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.encoding import MAX_SIDE, PARSER_ERRORS, read_npy
from scenes.errors import DatasetError, InputError

MAX_FILES = 4_000_000
MAX_DEPTH = 3                                  # <render product>/<annotator>/<file>
MAX_JSON = 64 << 20                            # [bytes]
MAX_NEST = 32                                  # objects and lists within each other; Replicator nests 5
MAX_PICTURE = 1 << 30                          # [bytes] of a file; its pixels are bounded by MAX_SIDE
MAX_ARRAY = 1 << 30                            # [bytes]
MAX_ROWS = 1_000_000                           # boxes in one frame


def listing(folder: Path) -> list[str]:
    """Every file under a folder, as sorted paths relative to it. What starts with a dot is left alone.

    Raises:
        InputError: no such folder, a link, something that is not a file or has no printable name, too many or too deep.
    """
    found: list[str] = []

    def walk(path: str, prefix: str, depth: int) -> None:
        with os.scandir(path) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                if entry.name.startswith("."):
                    continue
                if not entry.name.isprintable() and any(unicodedata.category(c).startswith("C") for c in entry.name):
                    raise InputError(f"{path}: {entry.name!a} is no name that can be printed; rename it, or take it out")
                if entry.is_symlink():
                    raise InputError(f"{entry.path}: is a link; an import reads only what lies in the folder, copy it there")
                if entry.is_dir(follow_symlinks=False):
                    if depth == MAX_DEPTH:
                        raise InputError(f"{entry.path}: is deeper than writers of Replicator's nest; name the output's folder")
                    walk(entry.path, f"{prefix}{entry.name}/", depth + 1)
                elif entry.is_file(follow_symlinks=False):
                    found.append(prefix + entry.name)
                    if len(found) > MAX_FILES:
                        raise InputError(f"{folder}: holds more than {MAX_FILES:,} files; import it in parts")
                else:
                    raise InputError(f"{entry.path}: is not a file; take it out of the folder")

    if not folder.is_dir():
        raise InputError(f"{folder}: not a folder; name the one that a writer of Replicator's wrote")
    try:
        walk(str(folder), "", 1)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}); check its permissions") from None
    return sorted(found)


def _bytes(path: Path, limit: int) -> bytes:
    """A file's bytes. Raises DatasetError where it cannot be read or is larger than ``limit``."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            data = file.read(min(os.fstat(file.fileno()).st_size, limit) + 1)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); check the folder") from None
    if len(data) > limit:
        raise DatasetError(f"{path}: has more than {limit >> 20} MB; a writer of Replicator's makes no such file")
    return data


def read_json(path: Path) -> Any:
    """A JSON file of at most ``MAX_NEST`` levels, so that what reads it may recurse, and of texts that can be written again.

    Raises:
        DatasetError: not such a file.
    """
    try:
        data = json.loads(_bytes(path, MAX_JSON))
        deep = _deep(data)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: not JSON ({str(error)[:80]}); write the frame again, or take its files out") from None
    if deep:
        raise DatasetError(f"{path}: nests more than {MAX_NEST} levels deep; write the frame again")
    return data


def _deep(data: Any) -> bool:
    """Whether there are more than ``MAX_NEST`` levels. Raises UnicodeEncodeError for half a surrogate pair in a text."""
    level = [data]
    for _ in range(MAX_NEST + 1):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value, *value.values()]
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str):
                value.encode()
        if not inner:
            return False
        level = inner
    return True


def finite(value: Any) -> Any:
    """What ``read_json`` gave without NaN and infinity, which become null."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object. Raises DatasetError."""
    data = read_json(path)
    if not isinstance(data, dict):
        raise DatasetError(f"{path}: not a JSON object but a {type(data).__name__}; write the frame again")
    return data


def read_array(path: Path) -> NDArray[Any]:
    """A .npy file of numbers. Its header must agree with the file's size, so nothing is allocated on its word alone.

    Raises:
        DatasetError: not such a file, cut short, too large, or of Python objects.
    """
    try:
        array = read_npy(path, MAX_ARRAY)
        if max(array.shape, default=0) > MAX_ROWS:
            raise ValueError(f"it has more than {MAX_ROWS} rows")
        return array
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); check the folder") from None
    except ValueError as error:
        raise DatasetError(f"{path}: not a readable .npy array ({error}); write the frame again") from None


def read_picture(path: Path) -> NDArray[Any]:
    """A PNG or JPEG: uint8 (H, W), (H, W, 3) or (H, W, 4); 16- and 32-bit grey comes as uint32 (H, W).

    Raises:
        DatasetError: not readable, or larger than anything we could store; said before pixels are decoded.
    """
    from PIL import Image

    data = _bytes(path, MAX_PICTURE)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            if max(picture.size) > MAX_SIDE:
                raise DatasetError(f"{path}: {picture.size[0]} × {picture.size[1]} pixels, at most {MAX_SIDE} a side")
            if picture.mode == "P":
                return np.asarray(picture.convert("RGBA"))
            if picture.mode in ("L", "RGB", "RGBA"):
                return np.asarray(picture)
            if picture.mode.startswith("I"):
                return np.asarray(picture).astype(np.uint32)
            raise DatasetError(f"{path}: a picture of mode '{picture.mode}'; Replicator writes grey, RGB and RGBA")
    except DatasetError:
        raise
    except (Image.DecompressionBombError, *PARSER_ERRORS) as error:
        raise DatasetError(f"{path}: not a readable picture ({str(error)[:80]}); write the frame again") from None


__all__ = ["MAX_JSON", "finite", "listing", "read_array", "read_json", "read_object", "read_picture"]
