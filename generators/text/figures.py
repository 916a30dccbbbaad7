"""figures: schematics of stations as vector drawings: the same shapes become part of a PDF and an SVG file.

Units are points (1/72 inch); the frame has its origin at the lower left, y up, as reportlab has it.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from reportlab.graphics import renderSVG
from reportlab.graphics.shapes import Circle, Drawing, Group, Line, Path, Polygon, PolyLine, Rect, String
from reportlab.lib.colors import HexColor

from generators.text.document import Figure, Schematic, number
from scenes.smt.oven import Oven, reflow_profile
from scenes.smt.process import NOZZLES

WIDTH = 470.0                                  # [pt]
INK, PALE, WARM, COLD, BOARD = (HexColor(c) for c in ("#1f2a37", "#eef1f5", "#f3c9a5", "#bcd7ee", "#3d7a4f"))
COLUMNS = 3                                    # of measuring points below the picture
MOST = 60                                      # measuring points listed there; the table has them all
LONGEST = 26                                   # characters of a channel in a tag


def drawing(figure: Figure, font: str) -> Drawing:
    """The figure as a reportlab drawing."""
    return _zones(figure.data, font) if isinstance(figure.data, Oven) else _schematic(figure.data, font)


def svg(figure: Figure) -> str:
    """The figure as an SVG file's text."""
    text: str = renderSVG.drawToString(drawing(figure, "Helvetica"))
    return text


def _text(x: float, y: float, text: str, font: str, size: float = 7.5, anchor: str = "middle") -> String:
    return String(x, y, text, fontName=font, fontSize=size, textAnchor=anchor, fillColor=INK)


def _box(x: float, y: float, w: float, h: float, fill: Any = PALE) -> Rect:
    return Rect(x, y, w, h, fillColor=fill, strokeColor=INK, strokeWidth=0.8)


def _arrow(x0: float, y: float, x1: float) -> Group:
    return Group(Line(x0, y, x1 - 5, y, strokeColor=INK, strokeWidth=1.2),
                 Polygon([x1, y, x1 - 7, y + 3, x1 - 7, y - 3], fillColor=INK, strokeColor=None))


def _schematic(s: Schematic, font: str) -> Drawing:
    """The station with its modules, the places before it, and a list of its measuring points below."""
    shown = s.channels if len(s.channels) <= MOST else (*s.channels[:MOST - 1], f"+ {len(s.channels) - MOST + 1}")
    rows, flow = -(-len(shown) // COLUMNS), s.flow
    height = 175 + 11 * rows
    d = Drawing(WIDTH, height)
    x, y, w, h = 95.0, height - 155.0, 300.0, 130.0
    d.add(_box(x, y, w, h, HexColor("#fbfcfd")))
    d.add(_text(x + w / 2, y + h + 6, s.station, font, 9))
    belt = y + 26
    d.add(Line(x - 80, belt, x + w + 65, belt, strokeColor=INK, strokeWidth=1.6))
    d.add(_arrow(x - 90, belt + 12, x - 62))
    d.add(_arrow(x + w + 40, belt + 12, x + w + 68))
    places = min(flow.buffer, 5) if flow else 0
    for i in range(places):
        d.add(_box(x - 14 - 12 * i, belt + 2, 9, 5, BOARD))
    if flow:
        d.add(_text(x - 36, belt - 12, f"{flow.buffer} ×", font, 7))
    for piece in _INSIDE.get(s.kind, _plain)(x, y, w, belt, s.zones, font):
        d.add(piece)
    for n, channel in enumerate(shown):
        column, row = n % COLUMNS, n // COLUMNS
        tx, ty = 8 + column * 157, y - 22 - 11 * row
        d.add(Circle(tx, ty + 2.6, 4.6, fillColor=PALE, strokeColor=INK, strokeWidth=0.5))
        d.add(_text(tx, ty + 0.8, str(n + 1), font, 5))
        d.add(_text(tx + 8, ty, channel if len(channel) <= LONGEST else channel[:LONGEST - 1] + "…", font, 6.5, "start"))
    return d


def _board(x: float, y: float, width: float = 70.0) -> Rect:
    return Rect(x, y, width, 5, fillColor=BOARD, strokeColor=None)


def _plain(x: float, y: float, w: float, belt: float, zones: Sequence[float], font: str) -> list[Any]:
    return [_board(x + w / 2 - 35, belt + 2)]


def _printer(x: float, y: float, w: float, belt: float, zones: Sequence[float], font: str) -> list[Any]:
    m = x + w / 2
    blade = Polygon([m - 20, belt + 18, m - 4, belt + 46, m + 2, belt + 44, m - 14, belt + 17], fillColor=PALE, strokeColor=INK,
                    strokeWidth=0.8)
    holes = [Line(m - 70 + 14 * i, belt + 12, m - 64 + 14 * i, belt + 12, strokeColor=HexColor("#ffffff"), strokeWidth=3)
             for i in range(10)]
    return [_board(m - 70, belt + 3, 140), Line(m - 90, belt + 12, m + 90, belt + 12, strokeColor=INK, strokeWidth=3), *holes,
            blade, Circle(m + 6, belt + 20, 7, fillColor=HexColor("#a8adb4"), strokeColor=INK, strokeWidth=0.5),
            _box(m - 26, belt + 46, 50, 22), _text(m, belt + 54, "F, v", font, 7)]


def _placement(x: float, y: float, w: float, belt: float, zones: Sequence[float], font: str) -> list[Any]:
    out: list[Any] = [_board(x + w / 2 - 60, belt + 2, 120), _box(x + 50, belt + 62, w - 100, 26)]
    for i in range(NOZZLES):
        cx = x + 65 + i * (w - 130) / 7
        out += [Line(cx, belt + 62, cx, belt + 40, strokeColor=INK, strokeWidth=2),
                Polygon([cx - 4, belt + 40, cx + 4, belt + 40, cx, belt + 30], fillColor=PALE, strokeColor=INK, strokeWidth=0.6),
                _text(cx, belt + 71, str(i + 1), font, 7)]
    out += [_box(x + 12 + 14 * i, y + 4, 10, 14) for i in range(20)]
    return out


def _reflow(x: float, y: float, w: float, belt: float, zones: Sequence[float], font: str) -> list[Any]:
    step, hot = (w - 20) / len(zones), zones.index(max(zones))
    out: list[Any] = []
    for i, z in enumerate(zones):
        left = x + 10 + i * step
        out += [_box(left, belt + 12, step - 2, 64, WARM if i <= hot else COLD),
                _text(left + step / 2 - 1, belt + 58, str(i + 1), font),
                _text(left + step / 2 - 1, belt + 40, number(z), font, 6.5),
                Circle(left + step / 2 - 1, belt + 25, 6, fillColor=HexColor("#ffffff"), strokeColor=INK, strokeWidth=0.6),
                Line(left + step / 2 - 7, belt + 25, left + step / 2 + 5, belt + 25, strokeColor=INK, strokeWidth=0.6)]
    return [*out, _board(x + 30, belt + 2, 40), _board(x + 130, belt + 2, 40), _board(x + 230, belt + 2, 40)]


def _camera(x: float, y: float, w: float, belt: float, zones: Sequence[float], font: str) -> list[Any]:
    m = x + w / 2
    return [_board(m - 50, belt + 2, 100), _box(m - 14, belt + 66, 28, 24), _box(m - 8, belt + 54, 16, 12),
            Polygon([m - 60, belt + 34, m - 22, belt + 50, m - 22, belt + 56, m - 60, belt + 42], fillColor=WARM, strokeColor=INK,
                    strokeWidth=0.7),
            Polygon([m + 60, belt + 34, m + 22, belt + 50, m + 22, belt + 56, m + 60, belt + 42], fillColor=WARM, strokeColor=INK,
                    strokeWidth=0.7),
            PolyLine([m - 6, belt + 54, m - 40, belt + 8], strokeColor=INK, strokeWidth=0.4, strokeDashArray=[2, 2]),
            PolyLine([m + 6, belt + 54, m + 40, belt + 8], strokeColor=INK, strokeWidth=0.4, strokeDashArray=[2, 2])]


def _xray(x: float, y: float, w: float, belt: float, zones: Sequence[float], font: str) -> list[Any]:
    m = x + w / 2
    return [_box(m - 110, y + 6, 220, 112), _board(m - 40, belt + 2, 80), _box(m - 12, belt + 62, 24, 22),
            Circle(m, belt + 60, 2.5, fillColor=INK, strokeColor=INK), _box(m - 60, y + 9, 120, 8),
            PolyLine([m - 56, y + 17, m, belt + 60, m + 56, y + 17], strokeColor=INK, strokeWidth=0.5, strokeDashArray=[2, 2])]


_INSIDE = {"printer": _printer, "placement": _placement, "reflow": _reflow, "aoi": _camera, "spi": _camera, "infrared": _camera,
           "axi": _xray}


def _zones(oven: Oven, font: str) -> Drawing:
    """Set temperature of every zone as a bar, and the lumped board's curve over the way through the oven."""
    d = Drawing(WIDTH, 190)
    x0, y0, w, h = 40.0, 28.0, 415.0, 145.0
    top = 300.0                                                           # [°C]
    for t in range(0, 301, 50):
        y = y0 + h * t / top
        d.add(Line(x0, y, x0 + w, y, strokeColor=HexColor("#d5d9df"), strokeWidth=0.5))
        d.add(_text(x0 - 5, y - 2.5, str(t), font, 7, "end"))
    step, hot = w / len(oven.zones), oven.zones.index(max(oven.zones))
    for i, z in enumerate(oven.zones):
        d.add(_box(x0 + i * step + 3, y0, step - 6, h * z / top, WARM if i <= hot else COLD))
        d.add(_text(x0 + (i + 0.5) * step, y0 + h * z / top + 3, number(z), font, 7))
        d.add(_text(x0 + (i + 0.5) * step, y0 - 11, str(i + 1), font, 7.5))
    profile = reflow_profile(oven)
    curve = Path(strokeColor=HexColor("#8c1d18"), strokeWidth=1.4, fillColor=None)
    for i, z in enumerate(oven.zones):
        for f in np.linspace(0, 1, 13):
            t = z + (profile.start[i] - z) * np.exp(-f * profile.duration / profile.tau)
            point = (x0 + (i + f) * step, y0 + h * float(t) / top)
            (curve.lineTo if curve.points else curve.moveTo)(*point)
    d.add(curve)
    d.add(_text(x0 - 5, y0 + h + 8, "°C", font, 7, "end"))
    return d


__all__ = ["drawing", "svg"]
