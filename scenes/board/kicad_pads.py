"""Pads of a KiCad footprint: their shapes in copper, mask and paste.

Millimetres, y down. A pad's own frame has the shape's centre at the origin. In the file the angle of a pad is absolute:
it includes the footprint's. A footprint on the back is stored as seen through the board, mirrored already, so nothing
here distinguishes sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from scenes.board.ink import Ink
from scenes.board.kicad_curves import Points, capsules, circle, rotate, rounded_box, steps
from scenes.board.kicad_graphics import draw_shape
from scenes.board.kicad_sexpr import Node

CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")


@dataclass(frozen=True)
class PadForm:
    """The shape of a pad on one layer, in the pad's own frame [mm]."""

    shape: str  # as the file says: circle, rect, oval, roundrect, trapezoid, custom
    size: tuple[float, float]
    offset: tuple[float, float] = (0.0, 0.0)  # of the shape from the hole
    ratio: float = 0.25  # corner radius / shorter side
    chamfer_ratio: float = 0.0
    chamfered: tuple[str, ...] = ()
    delta: tuple[float, float] = (0.0, 0.0)  # of a trapezoid
    primitives: Node | None = None  # of a custom pad
    anchor: str = "rect"


def pad_form(node: Node, shape: str) -> PadForm:
    """Read the shape of a pad or of one of its layers in a pad stack."""
    size = node.node("size")
    width, height = size.numbers(2) if size is not None and len(size) > 2 else (0.0, 0.0)
    if size is not None and len(size) == 2:  # a via's pad stack has one diameter
        width = height = size.numbers(1)[0]
    drill, offset_node = node.node("drill"), node.node("offset")
    if offset_node is None and drill is not None:
        offset_node = drill.node("offset")
    offset = offset_node.numbers(2) if offset_node is not None else (0.0, 0.0)
    delta, chamfer, options = node.node("rect_delta"), node.node("chamfer"), node.node("options")
    lean = delta.numbers(2) if delta is not None else (0.0, 0.0)
    return PadForm(
        shape,
        (width, height),
        (offset[0], offset[1]),
        node.number("roundrect_rratio", 0.25),
        node.number("chamfer_ratio", 0.2),
        tuple(chamfer.atoms()) if chamfer is not None else (),
        (lean[0], lean[1]),
        node.node("primitives"),
        options.text("anchor", "rect") if options is not None else "rect",
    )


def pad_outline(form: PadForm, grow: tuple[float, float] = (0.0, 0.0), *, rounded: bool = True) -> Points | None:
    """Outline of a pad in its own frame, shape (N, 2); None for a custom pad or one without extent.

    Args:
        form: The pad's shape.
        grow: Change of the shape on every side along x and y [mm], the margin of mask or paste. Negative shrinks.
        rounded: Whether a grown rectangle gets round corners, as pcbnew draws it from version 6.
    """
    width, height = form.size[0] + 2 * grow[0], form.size[1] + 2 * grow[1]
    if width <= 1e-6 or height <= 1e-6:
        return None
    half_x, half_y, short = width / 2, height / 2, min(width, height)
    margin = max(0.0, min(grow)) if rounded else 0.0
    if form.shape == "circle":
        return circle(np.zeros(2), half_x)
    if form.shape == "oval":
        reach = np.array([[half_x - short / 2, half_y - short / 2]])
        return circle(np.zeros(2), short / 2) if not reach.any() else capsules(-reach, reach, short / 2)[0]
    if form.shape == "trapezoid":
        dx, dy = form.delta[0] / 2, form.delta[1] / 2
        ring = np.array(
            [[-half_x - dy, half_y + dx], [half_x + dy, half_y - dx], [half_x - dy, -half_y + dx], [-half_x + dy, -half_y - dx]]
        )
        return ring
    if form.shape == "roundrect":
        own = min(form.size)
        radius = min(short / 2, max(0.0, form.ratio * own + min(grow)))
        cut = max(0.0, form.chamfer_ratio * own + (2 - 2**0.5) * min(grow)) if form.chamfered else 0.0
        cuts = tuple(cut if corner in form.chamfered else 0.0 for corner in CORNERS)
        return rounded_box(half_x, half_y, (radius,) * 4, cuts)  # type: ignore[arg-type]
    if form.shape == "custom":
        return None
    return rounded_box(half_x, half_y, (min(margin, short / 2),) * 4)


def custom_polygon(form: PadForm, grow: float = 0.0) -> shapely.Geometry:
    """A custom pad in its own frame: anchor and primitives in one polygon, grown by ``grow`` [mm]."""
    ink = Ink()
    anchor = pad_outline(
        replace(
            form,
            shape="circle" if form.anchor == "circle" else "rect",
            size=(form.size[0], form.size[0] if form.anchor == "circle" else form.size[1]),
        )
    )
    if anchor is not None:
        ink.fill(anchor)
    if form.primitives is not None:
        for node in form.primitives.nodes():
            draw_shape(node, ink, fill_default=node.name == "gr_poly")
    shape = shapely.union_all(ink.geometries())
    if grow:
        shape = shapely.buffer(shape, grow, quad_segs=steps(abs(grow)) // 4, join_style="round" if grow > 0 else "mitre")
    return shape


def place(points: Points, at: Points, angle: float, offset: tuple[float, float] = (0.0, 0.0)) -> Points:
    """From the pad's own frame to the board: offset, turn by the pad's absolute angle [deg], move."""
    return rotate(points + np.asarray(offset), angle) + at


__all__ = ["PadForm", "custom_polygon", "pad_form", "pad_outline", "place"]
