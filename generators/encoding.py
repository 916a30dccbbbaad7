"""Arrays to bytes and back, lossless unless its name says otherwise, the same bytes on every run.

Pictures become PNG files that any reader opens. Deflate is the slow part of PNG, so the PNG written here holds the
Up-filtered rows in *stored* blocks, and the Parquet column around it is compressed with zstd: smaller, four times
faster to write and faster to read than deflate level 1 (docs/adr/0035). Dense labels are zstd-compressed little-endian
arrays; their dtype and shape travel beside them, so a reader allocates what the row says and never what the bytes claim.
"""
from __future__ import annotations

import io
import math
import os
import stat
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scenes.errors import DatasetError

MAX_SIDE = 13000                               # [px] 0.26 m at 20 µm; squared it is what Pillow still opens
MAX_LABEL_BYTES = 1 << 31

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_STORED = 0xFFFF                               # bytes in one stored deflate block (RFC 1951, 3.2.4)
# what Pillow's readers of chunks raise where one is cut short: they say what Python says
PARSER_ERRORS = (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, OverflowError, struct.error, zlib.error)
_DAMAGED = "the row is damaged, delete its shard and generate again"
_HEADERS: dict[Any, Any] = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_DTYPES = {"uint8": "|u1", "int8": "|i1", "uint16": "<u2", "uint32": "<u4", "float32": "<f4"}


# ------------------------------------------------------------------------------------------------ pictures

def png_encode(image: NDArray[Any], *, level: int = 0) -> bytes:
    """A PNG of uint8 (H, W), (H, W, 3), (H, W, 4) with alpha, or uint16 (H, W).

    ``level`` 0 stores, for a container that compresses; 1 to 9 deflates, for files of their own.
    """
    if image.ndim == 2 and image.dtype in (np.uint8, np.uint16):
        color, depth = 0, 8 * image.dtype.itemsize
    elif image.ndim == 3 and image.shape[2] in (3, 4) and image.dtype == np.uint8:
        color, depth = (2, 8) if image.shape[2] == 3 else (6, 8)
    else:
        raise TypeError(f"png: {image.dtype} {image.shape} is none of uint8 (H, W), uint8 (H, W, 3 or 4), uint16 (H, W)")
    height, width = image.shape[:2]
    if max(height, width) > MAX_SIDE:
        raise DatasetError(f"picture: {width} × {height} pixels, at most {MAX_SIDE} a side; choose larger pixels, or tiles")
    rows = np.ascontiguousarray(image if depth == 8 else image.astype(">u2")).view(np.uint8).reshape(height, -1)
    filtered = np.empty((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = 2                                           # Up: each byte minus the one above it
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    data = memoryview(filtered.reshape(-1).data)
    body = _stored(data) if level == 0 else [zlib.compress(data, level)]
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"".join([_SIGNATURE, *_chunk(b"IHDR", [header]), *_chunk(b"IDAT", body), *_chunk(b"IEND", [])])


def _stored(data: memoryview) -> list[Any]:
    """A zlib stream (RFC 1950) of stored blocks, in pieces: a picture is copied once, when the file is put together."""
    pieces: list[Any] = [b"\x78\x01"]
    for start in range(0, len(data), _STORED):
        block = data[start:start + _STORED]
        pieces += [struct.pack("<BHH", start + _STORED >= len(data), len(block), len(block) ^ 0xFFFF), block]
    pieces.append(struct.pack(">I", zlib.adler32(data)))
    return pieces


def _chunk(kind: bytes, body: Sequence[Any]) -> list[Any]:
    """A PNG chunk of a body in pieces, in pieces."""
    check = zlib.crc32(kind)
    for piece in body:
        check = zlib.crc32(piece, check)
    return [struct.pack(">I", sum(len(piece) for piece in body)), kind, *body, struct.pack(">I", check)]


def jpeg_encode(image: NDArray[np.uint8], quality: int = 95) -> bytes:
    """A JPEG of uint8 (H, W, 3), 4:4:4. Lossy: only where the recipe asks for it, and for reports."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def image_decode(data: bytes, size: tuple[int, int] | None = None) -> NDArray[Any]:
    """A PNG or JPEG as an array: uint8 (H, W, 3), uint8 (H, W) or uint16 (H, W).

    Args:
        data: The file's bytes.
        size: (width, height) that the row promises; anything else is refused before pixels are decoded.

    Raises:
        DatasetError: not a readable picture, too large, or not of that size.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            if max(picture.size) > MAX_SIDE or (size is not None and picture.size != tuple(size)):
                found = f"{picture.size[0]} × {picture.size[1]}"
                raise DatasetError(f"picture: is {found} pixels, expected {size or 'less'}; {_DAMAGED}")
            mode = {"RGB": np.uint8, "L": np.uint8}.get(picture.mode, np.uint16)
            return np.asarray(picture).astype(mode, copy=False)
    except DatasetError:
        raise
    except (Image.DecompressionBombError, *PARSER_ERRORS) as error:
        raise DatasetError(f"picture: cannot be decoded ({error}); {_DAMAGED}") from None


# ------------------------------------------------------------------------------------------------ dense labels

def label_encode(name: str, array: NDArray[Any]) -> tuple[str, str, tuple[int, ...], bytes]:
    """A dense label as (encoding, dtype, shape, bytes).

    ``normal`` float32 (H, W, 3) is stored as three int8 per pixel, ``round(127 n)``: at most 0.4° off, see
    :func:`quantise_normals`. Everything else is lossless.
    """
    if name == "normal" and array.dtype == np.float32:
        return "zstd+snorm8", "int8", array.shape, _zstd(quantise_normals(array))
    dtype = array.dtype.name
    if dtype not in _DTYPES:
        raise TypeError(f"label '{name}': {dtype} cannot be stored; one of {', '.join(_DTYPES)}")
    return "zstd", dtype, array.shape, _zstd(np.ascontiguousarray(array, _DTYPES[dtype]))


def label_decode(encoding: str, dtype: str, shape: Sequence[int], data: bytes) -> NDArray[Any]:
    """The array of :func:`label_encode`; normals come back as unit float32 (0 where nothing is).

    Raises:
        DatasetError: unknown encoding, or bytes that do not fill the shape.
    """
    shape = tuple(int(n) for n in shape)
    size = int(np.prod(shape, dtype=np.float64)) * (np.dtype(_DTYPES[dtype]).itemsize if dtype in _DTYPES else 0)
    if encoding not in ("zstd", "zstd+snorm8") or not 0 < size <= MAX_LABEL_BYTES or min(shape, default=0) < 1:
        raise DatasetError(f"label: {encoding} {dtype} {shape} is not something that linetwin writes; "
                           "generate the dataset again, or read it with the version that made it")
    try:
        raw = pa.Codec("zstd").decompress(data, decompressed_size=size, asbytes=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"label: cannot be decompressed ({error}); {_DAMAGED}") from None
    array = np.frombuffer(raw, _DTYPES[dtype]).reshape(shape)
    if encoding == "zstd+snorm8":
        normal = array.astype(np.float32)
        length = np.sqrt(np.einsum("...i,...i", normal, normal))[..., None]
        return normal / np.maximum(length, 1e-9)
    return array


def quantise_normals(normal: NDArray[np.float32]) -> NDArray[np.int8]:
    """Unit vectors (…, 3) as ``round(127 n)``. Each component is at most 1/254 off, so the angle at most √3/254 rad = 0.39°."""
    shifted = normal * np.float32(127.0)
    np.rint(shifted, out=shifted)
    return shifted.astype(np.int8)


def _zstd(array: NDArray[Any]) -> bytes:
    return pa.Codec("zstd", compression_level=1).compress(pa.py_buffer(array.reshape(-1).data.cast("B")), asbytes=True)


# ------------------------------------------------------------------------------------------------ files of others

def read_npy(source: str | Path | BinaryIO, limit: int) -> NDArray[Any]:
    """A .npy file of numbers that somebody else wrote. Its header must agree with its size before anything is allocated.

    Args:
        source: A path, where links and what is no file are refused, or an open binary file, which is read from its start.
        limit: Most bytes that it may have.

    Returns:
        An array of at most three dimensions, which may be written to.

    Raises:
        OSError: it cannot be opened or read.
        ValueError: not such a file, cut short, larger than ``limit``, or of Python objects; one line.
    """
    if isinstance(source, str | Path):
        with open(source, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ValueError("not a file")
            return read_npy(file, limit)
    size = source.seek(0, io.SEEK_END)
    source.seek(0)
    if size > limit:
        raise ValueError(f"{size} bytes, at most {limit}")
    try:
        version = np.lib.format.read_magic(source)
        if version not in _HEADERS:
            raise ValueError(f"version {version} of the format")
        shape, fortran, dtype = _HEADERS[version](source)
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
        count = math.prod(shape)
        if len(shape) > 3 or min(shape, default=0) < 0 or count * dtype.itemsize != size - source.tell():
            raise ValueError(f"its header says {dtype} {shape}, which is not what follows"[:90])
        raw = np.empty(size - source.tell(), np.uint8)
        if source.readinto(raw.data) != len(raw):       # type: ignore[attr-defined]
            raise ValueError("cut short while it was read")
        return np.frombuffer(raw, dtype, count).reshape(shape, order="F" if fortran else "C")
    except (ValueError, TypeError, SyntaxError, KeyError, OverflowError, RecursionError, MemoryError, TokenError) as error:
        raise ValueError((str(error).splitlines() or ["cut short"])[0][:100]) from None


__all__ = ["MAX_SIDE", "PARSER_ERRORS", "image_decode", "jpeg_encode", "label_decode", "label_encode", "png_encode",
           "quantise_normals", "read_npy"]
