"""Drawn items of a KiCad board: lines, arcs, circles, rectangles, polygons, curves and text, of the board or of a footprint.

All three families share their syntax (``gr_``, ``fp_`` and a custom pad's primitives), so one reader serves them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import shapely

from scenes.board.ink import Ink
from scenes.board.kicad_curves import Points, arc_points, bezier, circle, outline_points, pair, rotate
from scenes.board.kicad_sexpr import BadNode, Node
from scenes.board.strokes import TextStyle, text_strokes, wrap

Transform = Callable[[Points], Points]
SHAPES = ("line", "arc", "circle", "rect", "poly", "curve", "vector")
KNOCKOUT = 0.25, 1.75  # plate around knocked-out text: the larger of pen and height / 4, over 1.75
FILLED = ("solid", "yes", "hatch", "reverse_hatch", "cross_hatch")


def _same(points: Points) -> Points:
    return points


def shape_points(node: Node) -> tuple[Points, bool]:
    """Points of a drawn shape in its own frame, shape (N, 2) [mm], and whether it is closed (first point not repeated)."""
    kind = node.name.split("_", 1)[-1]
    if kind in ("line", "vector"):
        return np.array([pair(node, "start"), pair(node, "end")]), False
    if kind == "arc":
        return arc_points(node), False
    if kind == "circle":
        centre = pair(node, "center")
        return circle(centre, float(np.hypot(*(pair(node, "end") - centre)))), True
    if kind == "rect":
        (x0, y0), (x1, y1) = pair(node, "start"), pair(node, "end")
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), True
    pts = node.node("pts")
    points = outline_points(pts) if pts is not None else np.zeros((0, 2))
    if kind == "curve":
        return (bezier(points[:4]) if len(points) >= 4 else points), False
    if len(points) > 1 and np.array_equal(points[0], points[-1]):
        points = points[:-1]
    return points, True


def stroke_width(node: Node) -> float:
    """Line width [mm] in either spelling; negative means KiCad's default, drawn as nothing."""
    stroke = node.node("stroke")
    return max(0.0, (stroke if stroke is not None else node).number("width", 0.0))


def is_filled(node: Node, default: bool) -> bool:
    fill = node.node("fill")
    if fill is None:
        return default
    kind = fill.text("type") or (fill[1] if len(fill) > 1 and isinstance(fill[1], str) else "")
    return kind in FILLED if kind else default


def draw_shape(node: Node, ink: Ink, transform: Transform = _same, *, fill_default: bool = False) -> None:
    """Put one drawn shape on a layer."""
    points, closed = shape_points(node)
    if len(points) < 2:
        return
    points, width = transform(points), stroke_width(node)
    if closed and is_filled(node, fill_default):
        ink.fill(points, width)
    elif closed:
        ink.line(np.concatenate([points, points[:1]]), width)
    else:
        ink.line(points, width)


_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Text with its ``${NAME}`` variables, and ``%R`` and ``%V`` of KiCad 5; an unknown variable is kept as written."""
    if "${" in text:
        text = _VARIABLE.sub(lambda m: variables.get(m[1], variables.get(m[1].upper(), m[0])), text)
    if "%" in text:
        text = text.replace("%R", variables.get("REFERENCE", "%R")).replace("%V", variables.get("VALUE", "%V"))
    return text


def is_hidden(node: Node) -> bool:
    effects = node.node("effects")
    return node.has("hide") or (effects is not None and effects.has("hide"))


def text_style(node: Node, legacy: bool) -> tuple[TextStyle, float]:
    """Style of a text and the pen's width [mm]."""
    effects = node.node("effects") or Node(["effects"])
    font = effects.node("font") or Node(["font"])
    size = font.node("size")
    height, width = size.numbers(2) if size is not None else (1.0, 1.0)
    justify = effects.node("justify")
    marks = justify.atoms() if justify is not None else []
    horizontal: Literal["left", "center", "right"] = "left" if "left" in marks else "right" if "right" in marks else "center"
    vertical: Literal["top", "center", "bottom"] = "top" if "top" in marks else "bottom" if "bottom" in marks else "center"
    pen = font.number("thickness", 0.0) or min(abs(width), abs(height)) / (5.0 if font.has("bold") else 8.0)
    pen = min(pen, 0.25 * min(abs(width), abs(height)))
    return TextStyle(abs(width), abs(height), horizontal, vertical, "mirror" in marks, font.has("italic"), pen, legacy), pen


def draw_text(node: Node, text: str, ink: Ink, at: Points, angle: float, *, legacy: bool) -> None:
    """Put a text on a layer: outline fonts from the file's own render cache, all others as strokes.

    Args:
        node: The text's node, for style, cache and knock-out.
        text: What to write, variables expanded.
        ink: The layer.
        at, angle: Anchor in the board [mm] and direction [deg].
        legacy: Whether the file is KiCad 5's.
    """
    cache = node.node("render_cache")
    drawn = Ink()
    if cache is not None:
        for polygon in cache.nodes("polygon"):
            rings = [outline_points(p) for p in polygon.nodes("pts")]
            rings = [r for r in rings if len(r) >= 3]
            if rings:
                drawn.ready.append(shapely.Polygon(rings[0], rings[1:]))
    else:
        style, pen = text_style(node, legacy)
        for stroke in text_strokes(text, style):
            drawn.line(rotate(stroke, angle) + at, pen)
    layer = node.node("layer")
    if layer is not None and "knockout" in layer:
        letters = shapely.union_all(drawn.geometries())
        if letters.is_empty:
            return
        style, pen = text_style(node, legacy)
        box = shapely.box(*shapely.bounds(shapely.transform(letters, lambda p: rotate(p - at, -angle))))
        frame = shapely.buffer(box, max(pen, KNOCKOUT[0] * style.height) / KNOCKOUT[1], join_style="mitre")
        ink.ready.append(shapely.difference(shapely.transform(frame, lambda p: rotate(p, angle) + at), letters))
        return
    ink.segments += drawn.segments
    ink.lines += drawn.lines
    ink.ready += drawn.ready


def draw_text_box(node: Node, text: str, ink: Ink, transform: Transform = _same, *, legacy: bool) -> None:
    """Put a text box on a layer: its words wrapped to its width, and its border where it has one."""
    pts = node.node("pts")
    if pts is not None:
        corners = outline_points(pts)
    else:
        (x0, y0), (x1, y1) = pair(node, "start"), pair(node, "end")
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    if len(corners) != 4:
        raise BadNode(node)
    corners, angle = transform(corners), node.number("angle", 0.0)
    border = node.node("border")
    if border is None or border[-1] != "no":
        ink.line(np.concatenate([corners, corners[:1]]), stroke_width(node))
    style, _ = text_style(node, legacy)
    margins = node.node("margins")
    left, top, right, bottom = margins.numbers(4) if margins is not None else (0.75 * style.height,) * 4
    box = rotate(corners, -angle)  # the frame in which the text runs along x
    (x0, y0), (x1, y1) = box.min(axis=0) + np.array([left, top]), box.max(axis=0) - np.array([right, bottom])
    anchor = np.array(
        [
            {"left": x0, "center": (x0 + x1) / 2, "right": x1}[style.horizontal],
            {"top": y0, "center": (y0 + y1) / 2, "bottom": y1}[style.vertical],
        ]
    )
    wrapped = text if node.node("render_cache") is not None else wrap(text, x1 - x0, style)
    draw_text(node, wrapped, ink, rotate(anchor, angle), angle, legacy=legacy)


__all__ = [
    "SHAPES",
    "draw_shape",
    "draw_text",
    "draw_text_box",
    "expand",
    "is_filled",
    "is_hidden",
    "shape_points",
    "stroke_width",
    "text_style",
]
