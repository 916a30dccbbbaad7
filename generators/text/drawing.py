"""drawing: a board's assembly drawing as a picture and as SVG, with callouts whose targets are known.

    sheet = assembly_drawing(assembly, rng)
    sheet.image, sheet.svg, sheet.callouts

The sheet shows the side that is up: outline, holes, lands, bodies, reference designators, marks at the first terminal of
polarised parts, the board's size, a title block. Board frame in metres; picture frame in pixels, x right, y down.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from generators.text.callouts import (
    CalloutKind,
    Subject,
    assign,
    conflicts,
    covering,
    edge_point,
    leader,
    on_board,
    pin_one,
    subjects,
)
from generators.text.sheet import Disk, Mark, Point, Stroke, Words, fitted, picture, svg, text_width
from scenes.errors import SceneError
from scenes.smt.state import Assembly

Box = tuple[float, float, float, float]        # left, top, right, bottom

EDGE = 50.0                                    # [px] from the sheet's border to the frame
COLUMN = 600.0                                 # [px] for labels, each side
BLOCK = (1000.0, 250.0)                        # [px] title block
LABEL = 30.0                                   # [px] size of a callout's text
SMALLEST = 10.0                                # [px] of a reference designator
LARGEST = 44.0
SMALL = 24.0                                   # and of its second line
GAP = 110.0                                    # [px] from the drawing to the labels; the height's dimension stands there
INSET = 4.0                                    # [px] by which a leader reaches into a body: the designator stays free
CLEAR = 20.0                                   # [px] of a leader over other parts, at most, where there is a choice
LANDING = 36.0                                 # [px] level piece of a leader


@dataclass(frozen=True)
class Callout:
    """One callout: a numbered label and the leader to what it means."""
    number: int
    kind: CalloutKind
    reference: str                             # the part or fiducial that is meant
    lines: tuple[str, ...]                     # text of the label
    target: tuple[float, float]                # board frame [m]: where the leader ends
    target_px: Point
    box: Box                                   # px of the label
    leader: tuple[Point, ...]                  # px, from the label to the target


@dataclass(frozen=True)
class DrawnPart:
    """One part on the sheet."""
    reference: str
    package: str
    value: str
    position: tuple[float, float]              # board frame [m], middle of the body
    outline: tuple[Point, ...]                 # px, the body
    label: Box                                 # px of the reference designator
    mark: Point | None                         # px of the first-terminal mark, where there is one


@dataclass(frozen=True, eq=False)
class AssemblyDrawing:
    """The sheet and the truth about it. ``scale`` [px/m] and ``origin`` (px of board point 0, 0) map the frames."""
    image: NDArray[np.uint8]                   # (H, W) grey
    svg: str
    scale: float
    origin: Point
    callouts: tuple[Callout, ...]
    parts: tuple[DrawnPart, ...]

    def to_pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Board frame [m] to picture [px], shape (…, 2) both."""
        return _to_pixels(np.asarray(points, np.float64), self.scale, self.origin)


def _to_pixels(points: NDArray[np.float64], scale: float, origin: Point) -> NDArray[np.float64]:
    pixels: NDArray[np.float64] = points * np.array([scale, -scale]) + np.array(origin)
    return pixels


def _to_board(pixel: Point, scale: float, origin: Point) -> tuple[float, float]:
    return (pixel[0] - origin[0]) / scale, (origin[1] - pixel[1]) / scale


def assembly_drawing(assembly: Assembly, rng: np.random.Generator, *, callouts: int = 12, title: str = "", revision: str = "A",
                     width: int = 3300, height: int = 2340) -> AssemblyDrawing:
    """Draw one side of a board.

    Args:
        assembly: Board, packages and lands; its board frame has the side to draw in front.
        rng: Chooses what the callouts are about.
        callouts: At most so many, 0 to 24; a board with less to say gets fewer.
        title: In the title block; by default the board's name.
        width, height: Of the picture [px].

    Raises:
        SceneError: more callouts than there is room for, or a sheet that is too small.
    """
    if not 0 <= callouts <= 24:
        raise SceneError(f"callouts: {callouts} do not fit beside the board; give 0 to 24")
    if width < 2000 or height < 1400:
        raise SceneError(f"sheet: {width} × {height} px is too small for the labels; give at least 2000 × 1400")
    room = (EDGE + COLUMN, EDGE + 110, width - EDGE - COLUMN, height - EDGE - BLOCK[1] - 150)
    x0, y0, x1, y1 = _extent(assembly)
    scale = min((room[2] - room[0]) / (x1 - x0), (room[3] - room[1]) / (y1 - y0))
    origin = ((room[0] + room[2]) / 2 - scale * (x0 + x1) / 2, (room[1] + room[3]) / 2 + scale * (y0 + y1) / 2)
    marks: list[Mark] = _paper(assembly, title or assembly.board.name, revision, scale, width, height)
    marks += _board(assembly, scale, origin)
    bodies = [_pixels(_body(assembly, i), scale, origin) for i in range(len(assembly.components))]
    drawn, parts = _parts(assembly, bodies, scale, origin)
    marks += drawn
    spots = [None if p.mark is None else _to_board(p.mark, scale, origin) for p in parts]
    candidates = subjects(assembly, spots, rng, 2 * callouts)
    drawn, found = _callouts(candidates, callouts, bodies, scale, origin, width, room, (x0, x1))
    marks += drawn
    return AssemblyDrawing(picture(marks, width, height), svg(marks, width, height), scale, origin, found, parts)


def _extent(assembly: Assembly) -> tuple[float, float, float, float]:
    """What the sheet has to hold, board frame [m]: the board, and parts that reach over its edge."""
    x0, y0, x1, y1 = assembly.board.outline.bounds
    corners = np.concatenate([_body(assembly, i) for i in range(len(assembly.components))] or [np.zeros((0, 2))])
    corners = np.vstack([corners, [(x0, y0), (x1, y1)]])
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _body(assembly: Assembly, part: int) -> NDArray[np.float64]:
    """Corners of a part's body, board frame [m], (4, 2)."""
    package = assembly.packages[part]
    (cx, cy), (w, h, _) = package.center, package.body
    a, b = w / 2, h / 2
    return on_board(assembly, part, [(cx - a, cy - b), (cx + a, cy - b), (cx + a, cy + b), (cx - a, cy + b)])


def _pixels(points: NDArray[np.float64], scale: float, origin: Point) -> BaseGeometry:
    return shapely.Polygon(_to_pixels(points, scale, origin))


def _rings(shape: BaseGeometry, scale: float, origin: Point) -> list[tuple[Point, ...]]:
    """Every ring of a shape, in pixels."""
    rings = []
    for polygon in shapely.get_parts(shape):
        for ring in (polygon.exterior, *polygon.interiors):
            rings.append(tuple(map(tuple, _to_pixels(np.asarray(ring.coords), scale, origin))))
    return rings


def _board(assembly: Assembly, scale: float, origin: Point) -> list[Mark]:
    """Outline, holes without vias, lands, and the dimensions."""
    board = assembly.board
    marks: list[Mark] = [Stroke(r, 4.0, closed=True) for r in _rings(board.outline, scale, origin)]
    for hole in board.drills:
        if not hole.via and not hole.plated:
            center = _to_pixels(np.array([hole.x, hole.y]), scale, origin)
            marks.append(Disk((float(center[0]), float(center[1])), hole.diameter * scale / 2, 2.5))
    rows = assembly.joints
    for j in range(len(rows)):
        u = np.array([np.cos(rows.land_angle[j]), np.sin(rows.land_angle[j])])
        v = np.array([-u[1], u[0]])
        a, b = rows.land_size[j] / 2
        corners = rows.land_center[j] + np.array([-a * u - b * v, a * u - b * v, a * u + b * v, -a * u + b * v])
        marks.append(Stroke(tuple(map(tuple, _to_pixels(corners, scale, origin))), 1.0, 150, closed=True, fill=236))
    for mark in board.fiducials:
        if mark.side == "front":
            (x, y), r = _to_pixels(np.array([mark.x, mark.y]), scale, origin), mark.diameter * scale / 2
            marks += [Disk((float(x), float(y)), r, 1.0, 0, 110), Disk((float(x), float(y)), 2 * r, 1.0),
                      Stroke(((x - 2.6 * r, y), (x + 2.6 * r, y)), 1.0), Stroke(((x, y - 2.6 * r), (x, y + 2.6 * r)), 1.0)]
    x0, y0, x1, y1 = board.outline.bounds
    (left, bottom), (right, top) = _to_pixels(np.array([[x0, y0], [x1, y1]]), scale, origin)
    outer = _to_pixels(np.array(_extent(assembly)[:2]), scale, origin)   # parts that overhang must not cover the dimensions
    low = float(outer[1]) + 62
    for x in (left, right):
        marks.append(Stroke(((x, bottom + 10), (x, low + 12)), 1.5))
    marks += [*_arrows((left, low), (right, low)), Words(((left + right) / 2, low + 24), f"{(x1 - x0) * 1e3:.2f}", 30)]
    side = float(outer[0]) - 50
    for y in (top, bottom):
        marks.append(Stroke(((left - 10, y), (side - 12, y)), 1.5))
    marks += [*_arrows((side, top), (side, bottom)),
              Words((side - 22, (top + bottom) / 2), f"{(y1 - y0) * 1e3:.2f}", 30, turned=True)]
    return marks


def _arrows(a: Point, b: Point) -> list[Mark]:
    """A dimension line with an arrow head at both ends."""
    u = np.array([b[0] - a[0], b[1] - a[1]]) / np.hypot(b[0] - a[0], b[1] - a[1])
    n = np.array([-u[1], u[0]])
    heads = [Stroke(tuple(map(tuple, np.array([p, p + d * 22 * u + 6 * n, p + d * 22 * u - 6 * n]))), 1.0, closed=True, fill=0)
             for p, d in ((np.array(a), 1), (np.array(b), -1))]
    return [Stroke((a, b), 1.5), *heads]


def _parts(assembly: Assembly, bodies: list[BaseGeometry], scale: float,
           origin: Point) -> tuple[list[Mark], tuple[DrawnPart, ...]]:
    """Bodies, marks of the first terminal, reference designators: inside where they fit, else beside, where there is room."""
    marks: list[Mark] = []
    texts: list[Mark] = []
    parts: list[DrawnPart] = []
    tree = shapely.STRtree(bodies)
    taken: list[BaseGeometry] = []
    largest_first = sorted(range(len(bodies)), key=lambda i: (-bodies[i].area, i))
    for i in largest_first:                                               # small parts lie on large ones: modules, shields
        body, component, package = bodies[i], assembly.components[i], assembly.packages[i]
        ring: tuple[Point, ...] = tuple((float(x), float(y)) for x, y in body.exterior.coords[:-1])
        if component.courtyard is not None and not component.courtyard.is_empty:
            marks += [Stroke(r, 1.0, 190, closed=True, dash=6) for r in _rings(component.courtyard, scale, origin)]
        marks.append(Stroke(ring, 2.5, closed=True, fill=255))
        spot: Point | None = None
        first = pin_one(assembly, i)
        if package.polarised and first is not None:
            drawn, spot = _polarity(assembly, i, body, first, scale, origin)
            marks += drawn
        free = _beside_bar(body.bounds, spot) if spot is not None and len(package.terminals) == 2 else body.bounds
        text, box = _designator(component.reference, free, tree, taken)
        texts.append(text)
        taken.append(shapely.box(*box))
        x, y = on_board(assembly, i, [package.center])[0]
        parts.append(DrawnPart(component.reference, package.name, component.value, (float(x), float(y)), ring, box, spot))
    order = np.argsort(largest_first)
    return [*marks, *texts], tuple(parts[k] for k in order)


def _polarity(assembly: Assembly, part: int, body: BaseGeometry, first: tuple[float, float], scale: float,
              origin: Point) -> tuple[list[Mark], Point]:
    """A bar across the end of a two-ended part, a filled dot in the corner of any other."""
    package = assembly.packages[part]
    corners = np.array(body.exterior.coords[:-1])
    middle, at = corners.mean(axis=0), _to_pixels(np.array(first), scale, origin)
    size = min(np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[2] - corners[1])))
    if len(package.terminals) == 2:
        sides = [(corners[k], corners[(k + 1) % 4]) for k in range(4)]
        a, b = min(sides, key=lambda s: float(np.hypot(*((s[0] + s[1]) / 2 - at))))
        inwards = (middle - (a + b) / 2) / max(float(np.hypot(*(middle - (a + b) / 2))), 1e-9)
        p, q = a + inwards * 0.16 * size, b + inwards * 0.16 * size
        spot = (p + q) / 2
        return [Stroke((tuple(p), tuple(q)), max(3.0, 0.1 * size))], (float(spot[0]), float(spot[1]))
    corner = corners[int(np.argmin(np.hypot(*(corners - at).T)))]
    radius = float(np.clip(0.06 * size, 4, 16))
    spot = corner + (middle - corner) / np.hypot(*(middle - corner)) * radius * 2.6
    return [Disk((float(spot[0]), float(spot[1])), radius, 1.0, 0, 0)], (float(spot[0]), float(spot[1]))


def _beside_bar(bounds: Box, bar: Point) -> Box:
    """A body's bounds without the end that the bar takes, so that text does not lie on it."""
    x0, y0, x1, y1 = bounds
    share = {"x0": (bar[0] - x0) / (x1 - x0), "x1": (x1 - bar[0]) / (x1 - x0), "y0": (bar[1] - y0) / (y1 - y0),
             "y1": (y1 - bar[1]) / (y1 - y0)}
    end = min(share, key=lambda k: share[k])
    cut = 1.5 * share[end]
    return (x0 + (cut * (x1 - x0) if end == "x0" else 0), y0 + (cut * (y1 - y0) if end == "y0" else 0),
            x1 - (cut * (x1 - x0) if end == "x1" else 0), y1 - (cut * (y1 - y0) if end == "y1" else 0))


def _designator(text: str, bounds: Box, tree: shapely.STRtree, taken: list[BaseGeometry]) -> tuple[Words, Box]:
    """Where a reference designator goes within ``bounds``, or beside them, and how large."""
    x0, y0, x1, y1 = bounds
    w, h, unit = x1 - x0, y1 - y0, text_width(text, 1.0)
    level, upright = min(0.86 * w / unit, 0.62 * h), min(0.86 * h / unit, 0.62 * w)
    turned = upright > 1.25 * level
    size = min(max(level, upright) if turned else level, LARGEST)
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)

    def boxed(at: Point, size: float, turned: bool) -> Box:
        a, b = unit * size / 2, 0.45 * size
        a, b = (b, a) if turned else (a, b)
        return at[0] - a, at[1] - b, at[0] + a, at[1] + b

    if size >= SMALLEST:
        return Words(middle, text, size, turned=turned), boxed(middle, size, turned)
    size = SMALLEST + 2
    for dx, dy in ((0, -1), (0, 1), (1, 0), (-1, 0)):
        at = (middle[0] + dx * (w / 2 + unit * size / 2 + 3), middle[1] + dy * (h / 2 + 0.45 * size + 3))
        box = boxed(at, size, False)
        shape = shapely.box(*box)
        if not len(tree.query(shape, predicate="intersects")) and not any(shapely.intersects(t, shape) for t in taken):
            return Words(at, text, size), box
    return Words(middle, text, SMALLEST, turned=turned, halo=True), boxed(middle, SMALLEST, turned)


def _callouts(chosen: tuple[Subject, ...], count: int, bodies: list[BaseGeometry], scale: float, origin: Point, width: int,
              room: tuple[float, float, float, float], sides: tuple[float, float]) -> tuple[list[Mark], tuple[Callout, ...]]:
    """Labels in two columns, leaders to their targets, and the truth about both. Numbers run down the left, then the right.

    Of ``chosen`` the first ``count`` are taken whose leaders can come in without covering other parts or crossing, and others
    only where these do not suffice. ``sides`` are the least and the greatest x of all that is drawn, board frame [m].
    """
    if not chosen:
        return [], ()
    rows = max(6, min(count, len(chosen)))
    ys = np.linspace(room[1] + 20, room[3] - 20, rows)
    near = _to_pixels(np.array([[sides[0], 0.0], [sides[1], 0.0]]), scale, origin)[:, 0] + np.array([-GAP, GAP])
    ports = [(float(x), float(y)) for x in near for y in ys]
    paths = np.empty((len(chosen), len(ports)), dtype=object)
    for k, subject in enumerate(chosen):
        aim = tuple(map(float, _to_pixels(np.array(subject.target), scale, origin)))
        for m, port in enumerate(ports):
            landing = LANDING if m < rows else -LANDING
            end = (aim[0], aim[1])
            if subject.part >= 0 and subject.kind != "polarity":
                end = edge_point(bodies[subject.part], (port[0] + landing, port[1]), INSET)
            paths[k, m] = shapely.LineString(leader(port, end, landing))
    covered = covering(paths, bodies, [s.part for s in chosen])
    order = np.argsort(covered.min(axis=1) > CLEAR, kind="stable").tolist()
    keep, spare = order[:count], order[count:]
    while True:                                                           # whatever still crosses gives way to the next candidate
        taken = assign(paths[keep], covered[keep])
        clash = np.flatnonzero(conflicts(paths[keep, taken]).any(axis=0))
        if not len(clash):
            break
        del keep[int(clash[-1])]
        keep += spare[:1]
        spare = spare[1:]
    chosen, paths = tuple(chosen[k] for k in keep), paths[keep]
    marks: list[Mark] = []
    found: list[Callout] = []
    for number, k in enumerate(np.argsort(taken), 1):
        subject, (px, py), left = chosen[k], ports[taken[k]], bool(taken[k] < rows)
        path: tuple[Point, ...] = tuple((float(x), float(y)) for x, y in paths[k, taken[k]].coords)
        target = path[-1]
        limit = (px if left else width - px) - EDGE - 84
        lines = tuple(fitted(line, size, limit) for line, size in zip(subject.lines, (LABEL, SMALL), strict=True))
        wide = max(text_width(line, size) for line, size in zip(lines, (LABEL, SMALL), strict=True)) + 62
        edge = px - wide - 8 if left else px + 8
        marks += [Stroke(path, 5.0, 255), Stroke(path, 2.0), Disk(target, 6, 1.0, 0, 0), Disk((edge + 24, py), 23, 2.0, 0, 255),
                  Words((edge + 24, py), str(number), 26), Words((edge + 56, py - 15), lines[0], LABEL, "lm"),
                  Words((edge + 56, py + 17), lines[1], SMALL, "lm", ink=60)]
        found.append(Callout(number, subject.kind, subject.reference, lines, _to_board(target, scale, origin), target,
                             (edge, py - 34, edge + wide, py + 34), path))
    return marks, tuple(found)


def _paper(assembly: Assembly, title: str, revision: str, scale: float, width: int, height: int) -> list[Mark]:
    """Frame, title block and notes."""
    def frame(x0: float, y0: float, x1: float, y1: float, line: float = 3.0) -> Stroke:
        return Stroke(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), line, closed=True)

    right, bottom = width - EDGE, height - EDGE
    left, top = right - BLOCK[0], bottom - BLOCK[1]
    board = assembly.board
    rows = ((("TITLE", title), ("SIDE", assembly.side.upper())),
            (("ASSEMBLY DRAWING", f"{len(assembly.components)} parts placed"), ("REV", revision)),
            (("BOARD", f"{board.size[0] * 1e3:.2f} x {board.size[1] * 1e3:.2f} x {board.thickness * 1e3:.2f} mm"),
             ("SCALE", f"{scale * 25.4e-3 / 300:.1f}:1 at 300 dpi")))
    marks: list[Mark] = [frame(EDGE, EDGE, right, bottom, 4.0), frame(left, top, right, bottom)]
    step, split = BLOCK[1] / 3, left + 0.68 * BLOCK[0]
    for n, ((name, text), (name2, text2)) in enumerate(rows):
        y = top + n * step
        marks += [Stroke(((left, y), (right, y)), 2.0), Words((left + 14, y + 20), name, 18, "lm", ink=90),
                  Words((left + 14, y + 54), text[:40], 32, "lm"), Words((split + 14, y + 20), name2, 18, "lm", ink=90),
                  Words((split + 14, y + 54), text2, 28, "lm")]
    marks.append(Stroke(((split, top), (split, bottom)), 2.0))
    notes = ["NOTES", "1. Dimensions in millimetres.", f"2. Stencil {assembly.stencil_thickness * 1e3:.3f} mm.",
             "3. A dot or a bar marks terminal 1 of polarised parts.",
             "4. Simulated product; not for manufacture."]
    marks += [Words((EDGE + 30, top + 30 + 40 * n), line, 26, "lm") for n, line in enumerate(notes)]
    return marks


__all__ = ["AssemblyDrawing", "Callout", "DrawnPart", "assembly_drawing"]
