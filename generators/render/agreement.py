"""Do two renderers see the same? Their label buffers of one geometry and one camera, compared away from edges.

Two rasterisers, or a rasteriser and a ray tracer, may differ by a pixel along outlines, and neither is wrong there. So a pixel
is judged only if in *both* pictures instance and part are the same in all pixels up to ``margin`` away from it. What is left
must agree:

* per instance, the intersection of both masks over their union, among judged pixels: at least ``iou``;
* depth: at most ``depth`` off, relative, from the other picture's depths up to ``margin`` away, the least to the greatest: on
  level ground that is its depth, on steps and slopes what lies beside it. Of ``stray`` of the pixels nothing is asked: on a wall
  seen exactly edge-on a rasteriser may give a pixel a depth beyond the wall's ends (two of 400 000 pixels on a tall connector);
* the same instances are visible: who has ``floor`` pixels or more in one picture has at least one in the other;
* parts: at least ``part`` of the judged pixels that both give to one instance.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from generators.render.protocol import Buffers
from scenes.errors import InputError


@dataclass(frozen=True)
class Bounds:
    """What two renderers are held to."""
    margin: int = 1                            # [px] around outlines that is not judged
    floor: int = 25                            # [px] from which an instance counts as visible, and from which its IoU is judged
    iou: float = 0.995                         # [1]
    depth: float = 1e-4                        # [1] relative
    part: float = 0.995                        # [1]
    stray: float = 1e-5                        # [1] share of judged pixels whose depth may be anything


@dataclass(frozen=True)
class Row:
    """One instance. ``iou`` is None where too few pixels are left to judge."""
    instance: int
    pixels: tuple[int, int]                    # [px] in all, in either picture
    judged: int                                # [px] of the union away from outlines
    iou: float | None
    depth: float                               # [1] largest relative difference, 0 where nothing was judged
    part: float                                # [1] share of pixels with the same part, 1 where nothing was judged


@dataclass(frozen=True)
class Agreement:
    """The result; ``str`` gives a table of what is worst."""
    names: tuple[str, str]
    bounds: Bounds
    rows: tuple[Row, ...]                      # by instance; 0 is the background
    judged: float                              # [1] share of the picture
    strays: tuple[int, int]                    # [px] judged pixels whose depth is farther off than the bound, and how many may be
    only: tuple[tuple[int, ...], tuple[int, ...]]      # instances visible in the first alone, in the second alone

    @property
    def iou(self) -> float:
        """The smallest among judged instances."""
        return min((row.iou for row in self.rows if row.iou is not None), default=1.0)

    @property
    def depth(self) -> float:
        """The largest relative difference, strays included."""
        return max((row.depth for row in self.rows), default=0.0)

    @property
    def part(self) -> float:
        """The share of judged pixels of one instance that have the same part in both."""
        weight = sum(row.judged for row in self.rows)
        return sum(row.part * row.judged for row in self.rows) / weight if weight else 1.0

    @property
    def findings(self) -> tuple[str, ...]:
        """What does not agree, one line each; empty if all does."""
        b = self.bounds
        out = [f"instance {i}: visible to {name} alone" for name, ids in zip(self.names, self.only, strict=True) for i in ids]
        out += [f"instance {r.instance}: IoU {r.iou:.4f} below {b.iou}" for r in self.rows if r.iou is not None and r.iou < b.iou]
        if self.strays[0] > self.strays[1]:
            out += [f"instance {r.instance}: depth differs by {r.depth:.2e}, more than {b.depth:.0e}" for r in self.rows
                    if r.depth > b.depth]
        if self.part < b.part:
            out.append(f"parts: {self.part:.4f} agree, less than {b.part}")
        return tuple(out)

    @property
    def passed(self) -> bool:
        return not self.findings

    def __str__(self) -> str:
        b, verdict = self.bounds, "agree" if self.passed else "DISAGREE"
        judged = [row for row in self.rows if row.iou is not None]
        lines = [f"{self.names[0]} against {self.names[1]}: {verdict}; {len(self.rows)} instances, "
                 f"{len(judged)} judged on {self.judged:.1%} of the picture ({b.margin} px from outlines, {b.floor} px or more)",
                 f"  IoU      least {self.iou:.5f}    at least {b.iou}",
                 f"  depth    most  {self.depth:.2e}   at most {b.depth:.0e}, relative; {self.strays[0]} px beyond, at most "
                 f"{self.strays[1]}",
                 f"  parts          {self.part:.5f}    at least {b.part}",
                 f"  visible to one alone: {len(self.only[0])} and {len(self.only[1])}"]
        worst = sorted(judged, key=lambda row: (row.iou, -row.depth))[:5]
        lines += [f"  {'instance':>10} {'pixels':>17} {'judged':>8} {'IoU':>8} {'depth':>9} {'parts':>7}"]
        lines += [f"  {r.instance:>10} {r.pixels[0]:>8} {r.pixels[1]:>8} {r.judged:>8} {r.iou:>8.5f} {r.depth:>9.1e} "
                  f"{r.part:>7.4f}" for r in worst]
        return "\n".join([*lines, *(f"  {line}" for line in self.findings[:20])])


def compare(first: Buffers, second: Buffers, *, names: tuple[str, str] = ("first", "second"),
            bounds: Bounds = Bounds()) -> Agreement:
    """Hold two renderers' buffers of one geometry and one camera against each other.

    Args:
        first, second: with instance, part and depth, of one size.

    Raises:
        InputError: a buffer is missing, or the sizes differ.
    """
    for name, buffers in zip(names, (first, second), strict=True):
        for kind in ("instance", "part", "depth"):
            if getattr(buffers, kind) is None:
                raise InputError(f"{name}: no {kind} buffer; render with outputs instance, part and depth")
    a, b = first.instance, second.instance
    assert a is not None and b is not None and first.depth is not None and second.depth is not None
    assert first.part is not None and second.part is not None
    if a.shape != b.shape:
        raise InputError(f"{names[0]} has {a.shape[1]} × {a.shape[0]} pixels, {names[1]} {b.shape[1]} × {b.shape[0]}; "
                         "render the same camera")
    calm = ~(_outlines(first, bounds) | _outlines(second, bounds))
    ids, index = np.unique(np.concatenate([a.ravel(), b.ravel()]), return_inverse=True)
    i, j, keep, count = index[:a.size], index[a.size:], calm.ravel(), len(ids)

    def counted(rows: NDArray[np.intp], where: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        return np.bincount(rows if where is None else rows[where], minlength=count)

    both = keep & (i == j)
    pixels = counted(i), counted(j)
    overlap = counted(i, both)
    union = counted(i, keep) + counted(j, keep) - overlap
    error = np.maximum(_depth_error(first.depth, second.depth, bounds), _depth_error(second.depth, first.depth, bounds)).ravel()
    worst, same = np.zeros(count), counted(i, both & (first.part.ravel() == second.part.ravel()))
    np.maximum.at(worst, i[both], error[both])
    rows = tuple(Row(int(ids[k]), (int(pixels[0][k]), int(pixels[1][k])), int(union[k]),
                     float(overlap[k] / union[k]) if union[k] >= bounds.floor else None, float(worst[k]),
                     float(same[k] / overlap[k]) if overlap[k] else 1.0) for k in range(count))
    only = tuple(tuple(r.instance for r in rows if r.instance and r.pixels[k] >= bounds.floor and not r.pixels[1 - k])
                 for k in (0, 1))
    strays = int((error[both] > bounds.depth).sum()), int(bounds.stray * both.sum())
    return Agreement(names, bounds, rows, float(calm.mean()), strays, (only[0], only[1]))


def _outlines(buffers: Buffers, bounds: Bounds) -> NDArray[np.bool_]:
    """Pixels up to ``margin`` away from another instance or another part."""
    assert buffers.instance is not None and buffers.part is not None
    code, size = buffers.instance.astype(np.int64) * 65536 + buffers.part, 2 * bounds.margin + 1
    return np.asarray(ndimage.minimum_filter(code, size, mode="nearest") != ndimage.maximum_filter(code, size, mode="nearest"))


def _depth_error(depth: NDArray[np.float32], other: NDArray[np.float32], bounds: Bounds) -> NDArray[np.float64]:
    """How far outside the other's depths nearby each pixel's is, relative; inf where one sees something and the other nothing."""
    size, z = 2 * bounds.margin + 1, depth.astype(np.float64)
    low, high = ndimage.minimum_filter(other, size, mode="nearest"), ndimage.maximum_filter(other, size, mode="nearest")
    out = np.zeros(z.shape)
    seen = np.isfinite(z)
    out[seen] = np.maximum(np.maximum(low[seen] - z[seen], z[seen] - high[seen]), 0) / np.maximum(z[seen], 1e-12)
    out[~seen] = np.where(np.isinf(high[~seen]), 0.0, np.inf)
    return out


__all__ = ["Agreement", "Bounds", "Row", "compare"]
