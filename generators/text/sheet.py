"""sheet: lines, circles and text on a sheet of paper, drawn as a picture and as SVG from the same list.

Frame: pixels of the finished picture, x right, y down. Ink is grey: 0 black, 255 white.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
FINE = 2                                       # the picture is drawn this much larger, then reduced: smooth edges
HALO = 255


@dataclass(frozen=True)
class Stroke:
    """A line through points, or a polygon where ``closed``. ``fill`` and ``ink`` are grey levels; None for none."""
    points: tuple[Point, ...]
    width: float = 2.0
    ink: int | None = 0
    closed: bool = False
    fill: int | None = None
    dash: float = 0.0                          # [px] of a dash and of a gap; 0 for a solid line


@dataclass(frozen=True)
class Disk:
    """A circle."""
    center: Point
    radius: float
    width: float = 2.0
    ink: int | None = 0
    fill: int | None = None


@dataclass(frozen=True)
class Words:
    """One line of text about its middle, or from its left end. ``turned``: reads upwards."""
    at: Point
    text: str
    size: float
    anchor: str = "mm"                         # "mm" middle, "lm" left end, vertically in the middle
    turned: bool = False
    halo: bool = False                         # a white rim, where it lies on lines
    ink: int = 0


Mark = Stroke | Disk | Words


@lru_cache(maxsize=64)
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def text_width(text: str, size: float) -> float:
    """[px]"""
    return float(_font(100).getlength(text)) * size / 100


def fitted(text: str, size: float, width: float) -> str:
    """The text, cut with two points where it is wider than ``width`` [px]."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "..", size) > width:
        text = text[:-1]
    return text + ".."


def picture(marks: Sequence[Mark], width: int, height: int) -> NDArray[np.uint8]:
    """The sheet as grey levels, uint8 (height, width)."""
    image = Image.new("L", (width * FINE, height * FINE), 255)
    draw = ImageDraw.Draw(image)
    for mark in marks:
        if isinstance(mark, Stroke):
            _stroke(draw, mark)
        elif isinstance(mark, Disk):
            (x, y), r = mark.center, mark.radius
            draw.ellipse([(x - r) * FINE, (y - r) * FINE, (x + r) * FINE, (y + r) * FINE], fill=mark.fill, outline=mark.ink,
                         width=max(1, round(mark.width * FINE)))
        else:
            _words(image, draw, mark)
    return np.asarray(image.resize((width, height), Image.Resampling.BOX))


def _stroke(draw: Any, mark: Stroke) -> None:
    points = [(x * FINE, y * FINE) for x, y in mark.points]
    if mark.fill is not None:
        draw.polygon(points, fill=mark.fill)
    if mark.ink is None:
        return
    ring = [*points, points[0]] if mark.closed else points
    width = max(1, round(mark.width * FINE))
    if not mark.dash:
        draw.line(ring, fill=mark.ink, width=width, joint="curve")
        return
    for (x0, y0), (x1, y1) in pairwise(ring):
        length = float(np.hypot(x1 - x0, y1 - y0))
        for at in np.arange(0.0, length, 2 * mark.dash * FINE):
            a, b = at / length, min(at + mark.dash * FINE, length) / length
            dash = [(x0 + f * (x1 - x0), y0 + f * (y1 - y0)) for f in (a, b)]
            draw.line(dash, fill=mark.ink, width=width)


def _words(image: Any, draw: Any, mark: Words) -> None:
    font = _font(max(6, round(mark.size * FINE)))
    rim = round(mark.size * FINE / 5) if mark.halo else 0
    x, y = mark.at[0] * FINE, mark.at[1] * FINE
    if not mark.turned:
        draw.text((x, y), mark.text, font=font, anchor=mark.anchor, fill=mark.ink, stroke_width=rim, stroke_fill=HALO)
        return
    w, h = round(text_width(mark.text, mark.size) * FINE) + 2 * rim + 4, round(mark.size * FINE * 1.4) + 2 * rim
    stamp, alpha = Image.new("L", (w, h), HALO), Image.new("L", (w, h), 0)
    for target, ink, edge in ((stamp, mark.ink, HALO), (alpha, 255, 255)):
        ImageDraw.Draw(target).text((w / 2, h / 2), mark.text, font=font, anchor="mm", fill=ink, stroke_width=rim,
                                    stroke_fill=edge)
    turn = Image.Transpose.ROTATE_90
    image.paste(stamp.transpose(turn), (round(x - h / 2), round(y - w / 2)), alpha.transpose(turn))


def svg(marks: Sequence[Mark], width: int, height: int) -> str:
    """The same sheet as an SVG file's text."""
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
           'font-family="sans-serif">', f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for mark in marks:
        if isinstance(mark, Stroke):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in mark.points)
            dash = f' stroke-dasharray="{mark.dash:.1f}"' if mark.dash else ""
            out.append(f'<{"polygon" if mark.closed else "polyline"} points="{points}" fill="{_grey(mark.fill)}" '
                       f'stroke="{_grey(mark.ink)}" stroke-width="{mark.width:.1f}"{dash}/>')
        elif isinstance(mark, Disk):
            x, y = mark.center
            out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{mark.radius:.1f}" fill="{_grey(mark.fill)}" '
                       f'stroke="{_grey(mark.ink)}" stroke-width="{mark.width:.1f}"/>')
        else:
            x, y = mark.at
            turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if mark.turned else ""
            rim = f' paint-order="stroke" stroke="#fff" stroke-width="{mark.size / 2.5:.1f}"' if mark.halo else ""
            out.append(f'<text x="{x:.1f}" y="{y + 0.35 * mark.size:.1f}" font-size="{mark.size:.1f}" fill="{_grey(mark.ink)}" '
                       f'text-anchor="{"middle" if mark.anchor == "mm" else "start"}"{rim}{turn}>{escape(mark.text)}</text>')
    return "\n".join([*out, "</svg>", ""])


def _grey(level: int | None) -> str:
    return "none" if level is None else f"#{level:02x}{level:02x}{level:02x}"


__all__ = ["Disk", "Mark", "Point", "Stroke", "Words", "fitted", "picture", "svg", "text_width"]
