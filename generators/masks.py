"""Masks as run lengths, boxes and polygons.

Masks are canonical: box, area and run lengths are computed from them here and nowhere else. Pixel coordinates: x right,
y down, (0, 0) the first pixel; boxes are ``(x, y, w, h)`` in pixels, half open, so ``w`` and ``h`` are counts.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from generators.imaging.recording import shown_at
from scenes.errors import DatasetError
from scenes.optics import Camera

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]
Piece = tuple[Box, Mask]                       # a box in the image, and the mask (h, w) in it; outside of it nothing is set


class Rle(TypedDict):
    """COCO's compressed run lengths, as ``pycocotools.mask`` reads them: column-major, the first run counts zeros."""
    size: list[int]                            # [height, width]
    counts: str


def rle_encode(mask: Mask, within: Box | None = None) -> Rle:
    """Run lengths of a mask (H, W), byte for byte what pycocotools writes.

    Args:
        mask: bool (H, W).
        within: A box that holds every set pixel, where the caller knows one. Only this part is looked at.
    """
    height, width = mask.shape
    within = box(mask) if within is None else within
    if within is None:
        return {"size": [height, width], "counts": _text(np.array([height * width], np.int64))}
    x, y, w, h = within
    part = mask[y:y + h, x:x + w]
    change = np.empty((h + 1, w), np.bool_)                      # where a run of a column starts, or has ended the row before
    change[0], change[-1] = part[0], part[-1]
    np.not_equal(part[1:], part[:-1], out=change[1:-1])
    row, column = np.divmod(np.flatnonzero(change), w)
    at = np.sort((column + x) * height + row + y)                # in column-major order
    if h == height:
        # A run that reaches the last row and goes on in the first row of the next column is one run, not two.
        same = np.flatnonzero(at[1:] == at[:-1])
        at = np.delete(at, np.concatenate([same, same + 1]))
    edge = np.empty(len(at) + 2, np.int64)
    edge[0], edge[1:-1], edge[-1] = 0, at, height * width
    counts = edge[1:] - edge[:-1]
    return {"size": [height, width], "counts": _text(counts if counts[-1] else counts[:-1])}


def rle_decode(rle: Rle) -> Mask:
    """The mask (H, W) of run lengths. Raises DatasetError for a string that does not fill the size."""
    mask = np.zeros(tuple(rle["size"]), np.bool_)
    found = rle_crop(rle)
    if found is not None:
        (x, y, w, h), inside = found
        mask[y:y + h, x:x + w] = inside
    return mask


def rle_crop(rle: Rle) -> Piece | None:
    """The tight box and the mask (h, w) in it; None where nothing is set. Touches no pixel outside the box's columns."""
    height, edge = rle["size"][0], np.cumsum(rle_counts(rle))
    within = _box(edge, height)
    if within is None:
        return None
    x, y, w, h = within
    edge = np.clip(edge - x * height, 0, w * height)
    runs = np.diff(edge, prepend=0, append=w * height)
    columns = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(w, height)
    return within, columns[:, y:y + h].T


def rle_area(rle: Rle) -> int:
    """Number of set pixels."""
    return int(rle_counts(rle)[1::2].sum())


def rle_box(rle: Rle) -> Box | None:
    """The tight box of run lengths, without decoding them to pixels."""
    return _box(np.cumsum(rle_counts(rle)), rle["size"][0])


def rle_measure(rle: Rle) -> tuple[int, Box | None]:
    """Area and tight box, decoded once."""
    counts = rle_counts(rle)
    return int(counts[1::2].sum()), _box(np.cumsum(counts), rle["size"][0])


def _box(edge: NDArray[np.int64], height: int) -> Box | None:
    """The tight box of runs that end at ``edge`` (N,), zeros first."""
    start, stop = edge[0:-1:2], edge[1::2]                       # runs of ones: [start, stop)
    keep = stop > start
    start, stop = start[keep], stop[keep] - 1
    if not len(start):
        return None
    x0, x1 = int(start[0] // height), int(stop[-1] // height)
    if (start // height != stop // height).any():                # a run over a column's end touches both borders
        y0, y1 = 0, height - 1
    else:
        y0, y1 = int((start % height).min()), int((stop % height).max())
    return x0, y0, x1 - x0 + 1, y1 - y0 + 1


def rle_counts(rle: Rle) -> NDArray[np.int64]:
    """The run lengths as numbers (N,), zeros first. Raises DatasetError where they do not fill the size."""
    height, width = rle["size"]
    code = np.frombuffer(rle["counts"].encode("ascii", "replace"), np.uint8).astype(np.int64) - 48
    if not len(code) or (code < 0).any() or (code > 63).any() or code[-1] & 32:
        raise DatasetError("run lengths: not a COCO string; the row is damaged, delete its shard and generate again")
    last = np.flatnonzero((code & 32) == 0)                      # the last character of each number
    first = np.concatenate([[0], last[:-1] + 1])
    place = np.arange(len(code)) - np.repeat(first, last - first + 1)
    if place.max() > 7:
        raise DatasetError("run lengths: a number is too long; the row is damaged, delete its shard and generate again")
    number = np.add.reduceat((code & 31) << (5 * place), first)
    number -= np.where(code[last] & 16, np.int64(1) << (5 * (place[last] + 1)), 0)
    # From the fourth on, each is written as the difference to the one two before.
    number[1::2] = np.cumsum(number[1::2])
    number[2::2] = np.cumsum(number[2::2])
    if (number < 0).any() or number.sum() != height * width:
        raise DatasetError(f"run lengths: do not fill {height} × {width} pixels; the row is damaged, "
                           "delete its shard and generate again")
    return number


def _text(counts: NDArray[np.int64]) -> str:
    """COCO's text of run lengths: five bits per character, low ones first, bit 5 says that more follow."""
    rest = counts.copy()
    rest[3:] -= counts[1:-2]
    # A number takes n characters where it fits n · 5 bits with its sign: −16 … 15, −512 … 511, …
    size = np.where(rest < 0, ~rest, rest)
    length = np.ones(len(rest), np.int64)
    bits = 4
    while (longer := size >> bits != 0).any():
        length += longer
        bits += 5
    last = np.cumsum(length)
    number = np.repeat(np.arange(len(rest)), length)
    place = np.arange(last[-1]) - (last - length)[number]
    code = ((rest[number] >> (5 * place)) & 31) + 48 + np.where(place + 1 < length[number], 32, 0)
    return code.astype(np.uint8).tobytes().decode("ascii")


def box(mask: Mask, within: Box | None = None) -> Box | None:
    """The tight box of a mask (H, W), or None where nothing is set.

    ``within``: A box that holds every set pixel, where the caller knows one. Only this part is looked at.
    """
    x, y, w, h = (0, 0, mask.shape[1], mask.shape[0]) if within is None else within
    part = mask[y:y + h, x:x + w]
    rows = np.flatnonzero(part.any(axis=1))
    if not len(rows):
        return None
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(part[y0:y1].any(axis=0))
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    return x + x0, y + y0, x1 - x0, y1 - y0


def cropped(mask: Mask) -> Piece | None:
    """A mask (H, W) as a piece with its tight box; None where nothing is set."""
    within = box(mask)
    if within is None:
        return None
    x, y, w, h = within
    return within, mask[y:y + h, x:x + w]


def pasted(pieces: Sequence[Piece], shape: tuple[int, ...]) -> tuple[Mask, Box | None]:
    """The union of pieces as one mask (H, W), and a box that holds it: the pixels outside are not even touched.

    None where no piece sets a pixel.
    """
    mask, corners = np.zeros(shape, np.bool_), []
    for (x, y, w, h), inside in pieces:
        if inside.any():
            mask[y:y + h, x:x + w] |= inside
            corners.append((x, y, x + w, y + h))
    if not corners:
        return mask, None
    left, above, right, below = zip(*corners, strict=True)
    x0, y0 = min(left), min(above)
    return mask, (x0, y0, max(right) - x0, max(below) - y0)


def id_boxes(ids: NDArray[np.uint32]) -> dict[int, tuple[slice, slice]]:
    """Tight (rows, columns) of every id in an id image (H, W), background included, in one pass over runs of equal ids."""
    height, width = ids.shape
    starts = np.ones((height, width), np.bool_)
    np.not_equal(ids[:, 1:], ids[:, :-1], out=starts[:, 1:])
    at = np.flatnonzero(starts)
    value = ids.ravel()[at]
    row, left = np.divmod(at, width)
    right = np.append(at[1:], height * width) - row * width      # the next run starts where this one ends
    order = np.argsort(value, kind="stable")
    value, row, left, right = value[order], row[order], left[order], right[order]
    first = np.flatnonzero(np.append(True, value[1:] != value[:-1]))
    spans = (np.minimum.reduceat(row, first), np.maximum.reduceat(row, first),
             np.minimum.reduceat(left, first), np.maximum.reduceat(right, first))
    return {int(i): (slice(int(y0), int(y1) + 1), slice(int(x0), int(x1)))
            for i, y0, y1, x0, x1 in zip(value[first], *spans, strict=True)}


def rasterise(region: BaseGeometry, camera: Camera) -> Piece | None:
    """The pixels whose centre lies inside a polygon on the board's surface (z = 0).

    Args:
        region: shapely polygon or multipolygon, board frame [m]; holes stay open.
        camera: The camera of the frame.

    Returns:
        A box inside the image and the mask (h, w) in it; None where the polygon covers no pixel centre.
    """
    if camera.lens is not None and camera.lens.distorts:         # straight edges bend: in pieces of a pixel they do not matter
        region = shapely.segmentize(region, camera.pixel_size)
    polygons = [p for p in shapely.get_parts(region) if p.geom_type == "Polygon" and not p.is_empty]
    rings = [np.asarray(ring.coords)[:, :2] for polygon in polygons
             for ring in (polygon.exterior, *polygon.interiors)]
    if not rings:
        return None
    board = np.concatenate(rings)
    points = shown_at(camera, np.column_stack([board, np.zeros(len(board))]))
    return fill(np.split(points, np.cumsum([len(r) for r in rings])[:-1]), camera.width, camera.height)


def fill(rings: Sequence[NDArray[np.float64]], width: int, height: int) -> Piece | None:
    """The pixels whose centre lies inside closed rings (N, 2) [px] by the even-odd rule: a box in the image and its mask."""
    points = np.concatenate(list(rings))
    x0, y0 = np.maximum(np.ceil(points.min(axis=0) - 0.5), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(points.max(axis=0) - 0.5), (width, height)).astype(int)
    if x1 <= x0 or y1 <= y0:
        return None
    joined = np.ones(len(points) - 1, np.bool_)                  # edges run inside a ring, not from one to the next
    joined[np.cumsum([len(r) for r in rings])[:-1] - 1] = False
    a, b = points[:-1][joined], points[1:][joined]
    up = a[:, 1] > b[:, 1]
    a, b = np.where(up[:, None], b, a), np.where(up[:, None], a, b)
    first = np.clip(np.ceil(a[:, 1] - 0.5), y0, y1).astype(int)  # rows whose centre lies in [a.y, b.y)
    count = np.clip(np.ceil(b[:, 1] - 0.5), y0, y1).astype(int) - first
    edge = np.repeat(np.arange(len(a)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    slope = (b[edge, 0] - a[edge, 0]) / (b[edge, 1] - a[edge, 1])
    crossing = a[edge, 0] + (row + 0.5 - a[edge, 1]) * slope
    column = np.clip(np.ceil(crossing - 0.5), x0, x1).astype(int)
    flips = np.zeros((y1 - y0, x1 - x0 + 1), np.uint8)           # even-odd: parity changes at every crossing
    np.add.at(flips, (row - y0, column - x0), 1)
    inside = (np.add.accumulate(flips[:, :-1], axis=1, dtype=np.uint8) & 1).astype(np.bool_)
    return ((int(x0), int(y0), int(x1 - x0), int(y1 - y0)), inside) if inside.any() else None


__all__ = ["Box", "Mask", "Piece", "Rle", "box", "cropped", "fill", "id_boxes", "pasted", "rasterise", "rle_area", "rle_box",
           "rle_counts", "rle_crop", "rle_decode", "rle_encode", "rle_measure"]
