"""Contacts: a component's soldered pads in the package frame, and what their pattern says.

Package frame: the footprint's own axes, origin at its origin [m].
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from scenes.board.model import Component, Pad


@dataclass(frozen=True)
class Contact:
    """One pad that a terminal is soldered to."""
    number: str
    x: float                                   # [m] package frame
    y: float
    ex: float                                  # [m] extent along package x
    ey: float                                  # [m] extent along package y
    kind: str                                  # "smd", "through" or "edge"
    round: bool = False
    drill: float = 0.0                         # [m]

    @property
    def area(self) -> float:
        return self.ex * self.ey


@dataclass(frozen=True)
class Extent:
    """Bounding box of contacts, pads' own size included [m]."""
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def size(self) -> tuple[float, float]:
        return self.x1 - self.x0, self.y1 - self.y0


def contacts(component: Component) -> tuple[Contact, ...]:
    """The pads of ``component`` that a terminal sits on, in file order.

    Left out: pads without copper on this side (stencil openings drawn as pads), unplated holes, copper drawn as a pad
    but covered by lacquer where the same number has an open pad, and plated holes inside a surface pad of the same
    number (thermal vias drawn as pads). Touching pads of one number count as one.
    """
    c, s = math.cos(component.angle), math.sin(component.angle)
    usable = [p for p in component.pads if p.kind != "npth" and (p.front or p.kind == "through")]
    open_numbers = {p.number for p in usable if p.mask}
    usable = [p for p in usable if p.mask or p.number not in open_numbers]

    def place(pad: Pad) -> Contact:
        dx, dy = pad.x - component.x, pad.y - component.y
        turn = pad.angle - component.angle
        cc, ss = abs(math.cos(turn)), abs(math.sin(turn))
        w, h = pad.size
        # to 10 nm: equal footprints at different angles must give equal packages, which share one mesh
        x, y, ex, ey = (round(v, 8) + 0.0 for v in (c * dx + s * dy, -s * dx + c * dy, cc * w + ss * h, ss * w + cc * h))
        return Contact(pad.number, x, y, ex, ey, pad.kind,
                       pad.shape == "circle" or (pad.shape in ("oval", "roundrect") and abs(w - h) < 1e-6),
                       pad.drill.diameter if pad.drill else 0.0)

    found = [place(p) for p in usable]
    found = _joined(found)
    surface = [a for a in found if a.kind != "through"]
    return tuple(a for a in found if a.kind != "through" or not any(
        b.number == a.number and abs(a.x - b.x) * 2 < b.ex and abs(a.y - b.y) * 2 < b.ey for b in surface))


def _joined(found: list[Contact], touch: float = 10e-6) -> list[Contact]:
    """Surface pads of one number that touch are one land, drawn in pieces: replaced by their bounding box."""
    out: list[Contact] = []
    for a in found:
        for i, b in enumerate(out):
            if (a.kind == b.kind == "smd" and a.number and a.number == b.number
                    and abs(a.x - b.x) <= (a.ex + b.ex) / 2 + touch and abs(a.y - b.y) <= (a.ey + b.ey) / 2 + touch):
                box = extent((a, b))
                out[i] = Contact(a.number, *box.center, *box.size, "smd", a.round and b.round, max(a.drill, b.drill))
                break
        else:
            out.append(a)
    return out if len(out) == len(found) else _joined(out, touch)


def extent(items: tuple[Contact, ...]) -> Extent:
    """Bounding box of the pads; at least one pad is needed."""
    return Extent(min(a.x - a.ex / 2 for a in items), min(a.y - a.ey / 2 for a in items),
                  max(a.x + a.ex / 2 for a in items), max(a.y + a.ey / 2 for a in items))


def split_thermal(items: tuple[Contact, ...]) -> tuple[tuple[Contact, ...], tuple[Contact, ...]]:
    """(perimeter pads, exposed pads): an exposed pad lies near the middle and is much larger than the others."""
    if len(items) < 3:
        return items, ()
    areas = sorted(a.area for a in items)
    median = areas[len(areas) // 2]
    box = extent(items)
    (cx, cy), (w, h) = box.center, box.size
    big = tuple(a for a in items if a.kind == "smd" and a.area > 3 * median
                and abs(a.x - cx) < 0.2 * w and abs(a.y - cy) < 0.2 * h)
    return (tuple(a for a in items if a not in big), big) if len(big) < len(items) / 2 else (items, ())


def levels(values: list[float], tolerance: float = 0.12e-3) -> int:
    """How many distinct values there are, to within ``tolerance`` [m]."""
    ordered = sorted(values)
    return 1 + sum(b - a > tolerance for a, b in pairwise(ordered))


def rows_axis(items: tuple[Contact, ...]) -> str:
    """"x" where two rows of leads leave the body along ±x, else "y". By the pads' long axes, then by counting levels."""
    ex, ey = sum(a.ex for a in items), sum(a.ey for a in items)
    nx, ny = levels([a.x for a in items]), levels([a.y for a in items])
    if nx == 2 and ny != 2:
        return "x"
    if ny == 2 and nx != 2:
        return "y"
    if abs(ex - ey) > 0.02 * max(ex, ey):
        return "x" if ex > ey else "y"
    box = extent(items)
    return "x" if box.size[0] >= box.size[1] else "y"


def outward(items: tuple[Contact, ...], sides: int) -> list[float]:
    """Direction [rad] in which each pad's lead leaves the body, for packages with leads on two or four sides."""
    box = extent(items)
    cx, cy = box.center
    if sides == 2:
        if rows_axis(items) == "x":
            return [0.0 if a.x > cx else math.pi for a in items]
        return [math.pi / 2 if a.y > cy else -math.pi / 2 for a in items]
    hx, hy = box.size[0] / 2, box.size[1] / 2
    result = []
    for a in items:
        reach = {0.0: (a.x - cx + a.ex / 2) / hx, math.pi: (cx - a.x + a.ex / 2) / hx,
                 math.pi / 2: (a.y - cy + a.ey / 2) / hy, -math.pi / 2: (cy - a.y + a.ey / 2) / hy}
        # at the outermost row on a side the pad touches the bounding box; the long axis breaks ties at the corners
        bonus = {0.0: a.ex > a.ey, math.pi: a.ex > a.ey, math.pi / 2: a.ey > a.ex, -math.pi / 2: a.ey > a.ex}
        result.append(max(reach, key=lambda d: reach[d] + 0.2 * bonus[d]))
    return result


def pitch(items: tuple[Contact, ...]) -> float:
    """Smallest distance between two pads [m]; 0 for fewer than two."""
    best = math.inf
    for i, a in enumerate(items):
        for b in items[i + 1:]:
            best = min(best, math.hypot(a.x - b.x, a.y - b.y))
    return best if math.isfinite(best) else 0.0


__all__ = ["Contact", "Extent", "contacts", "extent", "levels", "outward", "pitch", "rows_axis", "split_thermal"]
