"""Curves of a KiCad board as points: arcs in both spellings, circles, Béziers, rounded rectangles, capsules.

Everything here is in KiCad's own frame: millimetres, y down, angles in degrees that look counter-clockwise on the screen.
A curve is replaced by chords whose error is at most ``CHORD``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes.board.kicad_sexpr import BadNode, Node

Points = NDArray[np.float64]  # (N, 2) [mm]

CHORD = 1e-3  # [mm] largest distance between a chord and its arc
MIN_STEPS = 16  # chords of a full turn, however small the circle
MAX_STEPS = 4096


def steps(radius: float) -> int:
    """Chords for a full turn, a multiple of 4."""
    if radius <= CHORD:
        return MIN_STEPS
    count = math.ceil(math.pi / math.acos(1.0 - CHORD / radius))
    return min(MAX_STEPS, max(MIN_STEPS, (count + 3) // 4 * 4))


def rotate(points: Points, degrees: float) -> Points:
    """Points turned about the origin, counter-clockwise on the screen (y is down). Quarter turns are exact."""
    turns = degrees / 90.0
    if turns == round(turns):
        cos: float
        sin: float
        cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[round(turns) % 4]
    else:
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = points[..., 0], points[..., 1]
    return np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1)


def circle(centre: Points, radius: float) -> Points:
    """Ring of a circle, shape (N, 2), not closed."""
    angle = np.arange(steps(radius)) * (2 * np.pi / steps(radius))
    return np.asarray(centre) + radius * np.column_stack([np.cos(angle), np.sin(angle)])


def arc_about(centre: Points, start: Points, sweep: float) -> Points:
    """Arc from ``start`` about ``centre``; ``sweep`` [rad] is positive from +x towards +y. Shape (N, 2)."""
    spoke = np.asarray(start) - centre
    radius = float(np.hypot(*spoke))
    count = max(2, math.ceil(steps(radius) * abs(sweep) / (2 * math.pi)) + 1)
    angle = math.atan2(spoke[1], spoke[0]) + np.linspace(0.0, sweep, count)
    points = np.asarray(centre) + radius * np.column_stack([np.cos(angle), np.sin(angle)])
    points[0] = start
    return points


def arc_through(start: Points, mid: Points, end: Points) -> Points:
    """Arc through three points; a straight line where they are collinear; a full circle where start is end."""
    a, b, c = (np.asarray(p, float) for p in (start, mid, end))
    if np.array_equal(a, c):
        return arc_about((a + b) / 2, a, 2 * math.pi)
    u, v = b - a, c - a
    cross = u[0] * v[1] - u[1] * v[0]
    if abs(cross) < 1e-9 * max(1e-12, float(u @ u + v @ v)):
        return np.array([a, c])
    centre = a + np.array([v[1] * (u @ u) - u[1] * (v @ v), u[0] * (v @ v) - v[0] * (u @ u)]) / (2 * cross)
    first, last = (math.atan2(*(p - centre)[::-1]) for p in (a, c))
    sweep = (last - first) % (2 * math.pi)
    if cross < 0:
        sweep -= 2 * math.pi
    points = arc_about(centre, a, sweep)
    points[-1] = c
    return points


def bezier(control: Points) -> Points:
    """Cubic Bézier through its first and last control point, shape (N, 2)."""
    a, b, c, d = (np.asarray(p, float) for p in control)
    # the second derivative bounds the chord error: e ≤ max|B''| / (8 n²), B'' = 6 · second differences
    bend = 6 * max(float(np.hypot(*(a - 2 * b + c))), float(np.hypot(*(b - 2 * c + d))))
    count = min(MAX_STEPS, max(2, math.ceil(math.sqrt(bend / (8 * CHORD)))))
    t = np.linspace(0.0, 1.0, count + 1)[:, None]
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def rounded_box(
    half_x: float,
    half_y: float,
    radii: tuple[float, float, float, float],
    cuts: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
) -> Points:
    """Rectangle about the origin with each corner rounded or cut, shape (N, 2).

    Args:
        half_x, half_y: Half of each side [mm].
        radii, cuts: Per corner, in the order of the screen: upper left, upper right, lower right, lower left [mm].
            A corner with a cut is not rounded.
    """
    parts = []
    # y is down: the upper left corner is (−x, −y); going round right, down, left
    for index, (sx, sy) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
        corner, radius, cut = np.array([sx * half_x, sy * half_y]), radii[index], cuts[index]
        before, after = (np.array([0, -sy]), np.array([-sx, 0])) if index % 2 == 0 else (np.array([-sx, 0]), np.array([0, -sy]))
        if cut > 0:
            parts.append(np.array([corner + before * cut, corner + after * cut]))
        elif radius > 0:
            parts.append(arc_about(corner + (before + after) * radius, corner + before * radius, math.pi / 2))
        else:
            parts.append(corner[None])
    return np.concatenate(parts)


def capsules(start: Points, end: Points, radius: float) -> Points:
    """Outlines of round-ended tracks of one radius, shape (N, M, 2), not closed; a dot where both ends meet."""
    half = steps(radius) // 2
    along = end - start
    direction = np.where(np.any(along != 0, axis=1), np.arctan2(along[:, 1], along[:, 0]), 0.0)
    fan = np.linspace(-np.pi / 2, np.pi / 2, half + 1)
    head = direction[:, None] + fan
    tail = head + np.pi
    return np.concatenate(
        [
            end[:, None] + radius * np.stack([np.cos(head), np.sin(head)], -1),
            start[:, None] + radius * np.stack([np.cos(tail), np.sin(tail)], -1),
        ],
        axis=1,
    )


def pair(node: Node, name: str) -> Points:
    """The point in the child ``name``, shape (2,). Raises BadNode where there is none."""
    child = node.node(name)
    if child is None:
        raise BadNode(node)
    return np.array(child.numbers(2))


def arc_points(node: Node) -> Points:
    """An arc: start, mid, end (from KiCad 6), or centre as ``start``, first point as ``end``, and ``angle`` (before)."""
    if node.node("mid") is not None:
        return arc_through(pair(node, "start"), pair(node, "mid"), pair(node, "end"))
    if node.node("angle") is not None:
        # the old angle is positive clockwise on the screen, which is from +x towards +y as y is down
        return arc_about(pair(node, "start"), pair(node, "end"), math.radians(node.number("angle")))
    raise BadNode(node)


def outline_points(pts: Node) -> Points:
    """Points of a ``(pts (xy x y) (arc …) …)`` list, shape (N, 2)."""
    if all(len(c) == 3 and c[0] == "xy" for c in pts[1:]):
        try:
            return np.array([(c[1], c[2]) for c in pts[1:]], dtype=float).reshape(-1, 2)
        except ValueError:
            raise BadNode(next(c for c in pts[1:] if not _numeric(c))) from None
    parts = []
    for child in pts.nodes("xy", "arc"):
        parts.append(np.array(child.numbers(2))[None] if child.name == "xy" else arc_points(child))
    return np.concatenate(parts) if parts else np.zeros((0, 2))


def _numeric(node: Node) -> bool:
    try:
        node.numbers(2)
    except BadNode:
        return False
    return True


__all__ = [
    "CHORD",
    "Points",
    "arc_about",
    "arc_points",
    "arc_through",
    "bezier",
    "capsules",
    "circle",
    "outline_points",
    "pair",
    "rotate",
    "rounded_box",
    "steps",
]
