"""Masks as one polygon each, for formats that hold no masks. Lossy: the loss is measured, see :func:`fidelity`."""
from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from generators.masks import Box, Mask, fill

Ring = NDArray[np.float64]


def outlines(within: Box, mask: Mask, tolerance: float = 0.7) -> list[Ring]:
    """The outer outlines of a mask's parts, largest first; holes are lost.

    Args:
        within: Where ``mask`` lies in the image.
        mask: bool (h, w).
        tolerance: How far [px] a simplified outline may leave the pixels' edges.

    Returns:
        Open rings (N, 2) [px], (0, 0) the outer corner of the first pixel.
    """
    x, y, w, h = within
    padded = np.zeros((w, h + 2), np.bool_)
    padded[:, 1:-1] = mask.T
    column, row = np.nonzero(padded[:, 1:] != padded[:, :-1])
    start, stop, at = row[0::2], row[1::2], column[0::2]
    order = np.lexsort((at, stop, start))                        # equal runs in neighbouring columns make one rectangle
    start, stop, at = start[order], stop[order], at[order]
    goes_on = (start[1:] == start[:-1]) & (stop[1:] == stop[:-1]) & (at[1:] == at[:-1] + 1)
    first, last = np.append(True, ~goes_on), np.append(~goes_on, True)
    area = shapely.union_all(shapely.box(x + at[first], y + start[first], x + at[last] + 1, y + stop[first]))
    rings = []
    for part in sorted(shapely.get_parts(area), key=lambda p: (-p.area, p.bounds)):
        ring = np.asarray(shapely.Polygon(part.exterior).simplify(tolerance).exterior.coords)[:-1]
        rings.append(ring)
    return rings


def chain(rings: list[Ring]) -> Ring:
    """Several rings as one: out along a line of no width to the nearest point of the next ring, around it, and back.

    This is how Ultralytics joins the parts of one object.
    """
    joined = rings[0]
    for ring in rings[1:]:
        distance = np.linalg.norm(joined[:, None] - ring[None], axis=2)
        i, j = np.unravel_index(int(distance.argmin()), distance.shape)
        around = np.concatenate([ring[j:], ring[:j + 1]])
        joined = np.concatenate([joined[:i + 1], around, joined[i:]])
    return joined


def fidelity(ring: Ring, within: Box, mask: Mask, width: int, height: int) -> float:
    """Intersection over union of a polygon's pixels (centres inside) and the mask that it stands for."""
    found = fill([np.concatenate([ring, ring[:1]])], width, height)
    if found is None:
        return 0.0
    (x, y, w, h), inside = found
    mx, my, mw, mh = within
    x0, y0, x1, y1 = max(x, mx), max(y, my), min(x + w, mx + mw), min(y + h, my + mh)
    both = 0
    if x1 > x0 and y1 > y0:
        both = int(np.count_nonzero(inside[y0 - y:y1 - y, x0 - x:x1 - x] & mask[y0 - my:y1 - my, x0 - mx:x1 - mx]))
    return both / (int(np.count_nonzero(inside)) + int(np.count_nonzero(mask)) - both)


__all__ = ["Ring", "chain", "fidelity", "outlines"]
