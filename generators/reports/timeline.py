"""Several panels over one time axis, as SVG text: what was measured, what wore, what came out, what happened."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from generators.reports.plots import COLORS, nice_ticks

F64 = NDArray[np.float64]
_TEXT, _MUTED, _GRID = "#1f2933", "#66727f", "#e3e8ed"
_LEFT, _RIGHT, _AXIS = 84, 150, 24
Axis = Literal["h", "min", "s", "ms"]
AXES: dict[str, float] = {"h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3}
BINS = 400                                     # a longer line is drawn as the span of its values in each bin


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of a panel. Times are seconds from the start of the run; NaN leaves a gap."""
    name: str
    times: ArrayLike
    values: ArrayLike
    step: bool = False                         # the value holds until the next one


@dataclass(frozen=True, eq=False)
class Panel:
    """Curves that share a unit. ``limit`` is drawn across as a dashed line."""
    title: str
    unit: str
    curves: Sequence[Curve]
    height: int = 90
    limit: float | None = None


@dataclass(frozen=True, eq=False)
class Mark:
    """Something that happened: a line through all panels and a word in the row of its kind."""
    time: float
    kind: str
    text: str


def timeline(panels: Sequence[Panel], marks: Sequence[Mark], *, duration: float, axis: Axis = "h", width: int = 1080) -> str:
    """Draw panels under one another, marks below them in one row per kind, and one axis from 0 to ``duration`` [s]."""
    kinds = list(dict.fromkeys(m.kind for m in marks))
    height = sum(p.height + 26 for p in panels) + 20 * len(kinds) + _AXIS + 8
    right = width - _RIGHT
    unit = AXES[axis]

    def px(time: float) -> float:
        return _LEFT + (right - _LEFT) * time / max(duration, 1e-9)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
           'font-family="inherit" font-size="12" role="img">']
    bottom = height - _AXIS
    for tick in (t for t in nice_ticks(0.0, duration / unit, 8) if t <= duration / unit * 1.0001):
        x = px(tick * unit)
        out += [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{bottom}" stroke="{_GRID}"/>',
                _text(x, height - 8, f"{tick:g} {axis}", "middle", _MUTED)]
    top = 4.0
    for panel in panels:
        out += _panel(panel, top, right, px)
        top += panel.height + 26
    first = 4.0
    for row, kind in enumerate(kinds):
        y = top + 20 * row
        color = COLORS[(row + 2) % len(COLORS)]
        out.append(_text(_LEFT - 6, y + 12, kind, "end", _MUTED))
        for mark in (m for m in marks if m.kind == kind):
            x = px(mark.time)
            out.append(f'<g><title>{escape(mark.text)}, {mark.time / unit:.2f} {axis}</title>'
                       f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{first}" y2="{y + 4}" stroke="{color}" stroke-opacity="0.18"/>'
                       f'<rect x="{x - 2:.1f}" y="{y + 2}" width="4" height="13" fill="{color}"/></g>')
    return "".join([*out, "</svg>"])


def _panel(panel: Panel, top: float, right: float, px: Callable[[float], float]) -> list[str]:
    """Title, axis, limit and curves of one panel whose title row begins at ``top``."""
    drawn = [(c, *_thin(c)) for c in panel.curves]
    values = np.concatenate([v for _, _, v in drawn] or [np.zeros(1)])
    values = values[np.isfinite(values)]
    if panel.limit is not None:
        values = np.append(values, panel.limit)
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if high - low < 1e-9 * max(abs(high), 1e-12):
        low, high = low - 0.5 * max(abs(low), 1e-3), high + 0.5 * max(abs(high), 1e-3)
    base, roof = top + 20 + panel.height, top + 20

    def py(value: float) -> float:
        return base - (value - low) / (high - low) * panel.height

    out = [_text(_LEFT, top + 13, panel.title + (f" [{panel.unit}]" if panel.unit else ""), "start", _TEXT),
           f'<rect x="{_LEFT}" y="{roof:.1f}" width="{right - _LEFT:.1f}" height="{panel.height}" fill="none" stroke="{_GRID}"/>']
    for tick in nice_ticks(low, high, 3):
        if low <= tick <= high:
            out += [f'<line x1="{_LEFT - 3}" x2="{_LEFT}" y1="{py(tick):.1f}" y2="{py(tick):.1f}" stroke="{_MUTED}"/>',
                    _text(_LEFT - 6, py(tick) + 4, f"{tick:.4g}", "end", _MUTED)]
    if panel.limit is not None:
        out.append(f'<line x1="{_LEFT}" x2="{right:.1f}" y1="{py(panel.limit):.1f}" y2="{py(panel.limit):.1f}" stroke="{_TEXT}" '
                   'stroke-dasharray="5 4" stroke-opacity="0.6"/>')
    for i, (curve, at, value) in enumerate(drawn):
        color = COLORS[i % len(COLORS)]
        for part in np.split(np.arange(len(value)), np.flatnonzero(~np.isfinite(value))):
            part = part[np.isfinite(value[part])]
            if not len(part):
                continue
            points = [(px(float(at[k])), py(float(value[k]))) for k in part]
            if curve.step:
                points = [p for a, b in zip(points, [*points[1:], points[-1]], strict=True) for p in (a, (b[0], a[1]))]
            text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            out.append(f'<polyline points="{text}" fill="none" stroke="{color}" stroke-width="1.4"/>')
        if len(drawn) == 1:                    # the title says it
            continue
        out += [f'<rect x="{right + 10:.0f}" y="{roof + 2 + 15 * i:.0f}" width="10" height="10" rx="2" fill="{color}"/>',
                _text(right + 24, roof + 11 + 15 * i, curve.name, "start", _MUTED)]
    return out


def _thin(curve: Curve) -> tuple[F64, F64]:
    """At most two points per bin, the least and the greatest value in it, so that no peak is lost."""
    times, values = np.asarray(curve.times, np.float64), np.asarray(curve.values, np.float64)
    if len(times) <= 2 * BINS:
        return times, values
    edges = np.linspace(0, len(times), BINS + 1).astype(int)
    keep: list[int] = []
    for a, b in itertools.pairwise(edges):
        part = values[a:b]
        if np.isfinite(part).any():
            keep += sorted({a + int(np.nanargmin(part)), a + int(np.nanargmax(part))})
        else:
            keep.append(a)
    return times[keep], values[keep]


def _text(x: float, y: float, text: str, anchor: str, color: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{escape(text)}</text>'


__all__ = ["AXES", "BINS", "Axis", "Curve", "Mark", "Panel", "timeline"]
