"""Small drawings for reports, as SVG text: the same numbers give the same bytes, and no plotting library is loaded."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

COLORS = ("#2f6f8f", "#e09f3e", "#9b2226", "#6a994e", "#5e548e", "#bc6c25", "#457b9d", "#adb5bd")
_TEXT, _MUTED, _GRID = "#1f2933", "#66727f", "#e3e8ed"


def bars(rows: Sequence[tuple[str, Mapping[str, float]]], *, unit: str = "", target: Mapping[str, float] | None = None,
         width: int = 760) -> str:
    """Horizontal stacked bars.

    Args:
        rows: (label, {series: value ≥ 0}), top to bottom. Series keep one colour over all rows.
        unit: What is counted.
        target: A value per label, drawn as a mark across its bar.
        width: Of the drawing [px].
    """
    target = target or {}
    series = list(dict.fromkeys(name for _, parts in rows for name in parts))
    label_width = min(220, 12 + 7 * max((len(label) for label, _ in rows), default=1))
    top, step, right = (26 if len(series) > 1 else 6), 22, 64
    height = top + step * len(rows) + 22
    longest = max([sum(parts.values()) for _, parts in rows] + list(target.values()) + [1e-12])
    ticks = nice_ticks(0.0, longest)
    scale = (width - label_width - right) / max(longest, ticks[-1])
    out = [_open(width, height)]
    if len(series) > 1:
        x = float(label_width)
        for i, name in enumerate(series):
            out.append(f'<rect x="{x:.0f}" y="4" width="11" height="11" rx="2" fill="{COLORS[i % len(COLORS)]}"/>')
            out.append(_text(x + 16, 14, name, color=_MUTED))
            x += 30 + 6.6 * len(name)
    for tick in ticks:
        x = label_width + tick * scale
        out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 2}" y2="{height - 20}" stroke="{_GRID}"/>')
        out.append(_text(x, height - 6, f"{tick:g}", anchor="middle", color=_MUTED))
    out.append(_text(width - 4, height - 6, unit, anchor="end", color=_MUTED))
    for n, (label, parts) in enumerate(rows):
        y = top + n * step
        out.append(_text(label_width - 8, y + 14, label, anchor="end"))
        x = float(label_width)
        for i, name in enumerate(series):
            length = parts.get(name, 0) * scale
            if length > 0:
                out.append(f'<rect x="{x:.1f}" y="{y + 3}" width="{length:.1f}" height="15" fill="{COLORS[i % len(COLORS)]}">'
                           f"<title>{escape(label)}, {escape(name)}: {parts[name]:g}</title></rect>")
            x += length
        if label in target:
            at = label_width + target[label] * scale
            out.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y}" y2="{y + 21}" stroke="{_TEXT}" stroke-width="2"/>')
            x = at if x < at < x + 40 else x
        out.append(_text(x + 6, y + 15, f"{sum(parts.values()):,g}", color=_MUTED))
    return "".join([*out, "</svg>"])


def histogram(counts: Sequence[int], low: float, high: float, *, title: str = "", width: int = 240, height: int = 96) -> str:
    """Bars of equal width from ``low`` to ``high``."""
    top, bottom = 22, height - 18
    peak = max([*counts, 1])
    step = (width - 16) / max(len(counts), 1)
    out = [_open(width, height), _text(8, 14, title if len(title) < width // 6 else f"…{title[-(width // 6 - 2):]}")]
    for i, count in enumerate(counts):
        tall = (bottom - top) * count / peak
        out.append(f'<rect x="{8 + i * step:.1f}" y="{bottom - tall:.1f}" width="{max(step - 1, 0.5):.1f}" height="{tall:.1f}" '
                   f'fill="{COLORS[0]}"><title>{count}</title></rect>')
    out.append(f'<line x1="8" x2="{width - 8}" y1="{bottom}" y2="{bottom}" stroke="{_MUTED}"/>')
    out += [_text(8, height - 4, f"{low:.4g}", color=_MUTED),
            _text(width - 8, height - 4, f"{high:.4g}", anchor="end", color=_MUTED)]
    return "".join([*out, "</svg>"])


def curve(lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, x_label: str, y_label: str,
          diagonal: bool = False, width: int = 440, height: int = 340) -> str:
    """Lines (x, y) in one frame with axes; for operating curves."""
    xs = [float(v) for x, _ in lines.values() for v in x] or [0.0, 1.0]
    ys = [float(v) for _, y in lines.values() for v in y] or [0.0, 1.0]
    x_ticks, y_ticks = nice_ticks(min(xs), max(xs)), nice_ticks(min(ys), max(ys))
    x0, x1 = min(min(xs), x_ticks[0]), max(max(xs), x_ticks[-1])
    y0, y1 = min(min(ys), y_ticks[0]), max(max(ys), y_ticks[-1])
    left, right, top, bottom = 54, width - 12, 28, height - 42

    def px(x: float) -> float:
        return left + (right - left) * (x - x0) / (x1 - x0 or 1)

    def py(y: float) -> float:
        return bottom - (bottom - top) * (y - y0) / (y1 - y0 or 1)

    out = [_open(width, height)]
    for tick in x_ticks:
        out += [f'<line x1="{px(tick):.1f}" x2="{px(tick):.1f}" y1="{top}" y2="{bottom}" stroke="{_GRID}"/>',
                _text(px(tick), bottom + 15, f"{tick:g}", anchor="middle", color=_MUTED)]
    for tick in y_ticks:
        out += [f'<line x1="{left}" x2="{right}" y1="{py(tick):.1f}" y2="{py(tick):.1f}" stroke="{_GRID}"/>',
                _text(left - 6, py(tick) + 4, f"{tick:g}", anchor="end", color=_MUTED)]
    if diagonal:
        low, high = max(x0, y0), min(x1, y1)
        out.append(f'<line x1="{px(low):.1f}" y1="{py(low):.1f}" x2="{px(high):.1f}" y2="{py(high):.1f}" stroke="{_MUTED}" '
                   'stroke-dasharray="4 4"/>')
    x = float(left)
    for i, (name, (line_x, line_y)) in enumerate(lines.items()):
        points = " ".join(f"{px(float(a)):.1f},{py(float(b)):.1f}" for a, b in zip(line_x, line_y, strict=True))
        color = COLORS[i % len(COLORS)]
        out.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        out += [f'<rect x="{x:.0f}" y="8" width="11" height="11" rx="2" fill="{color}"/>', _text(x + 16, 18, name, color=_MUTED)]
        x += 30 + 6.6 * len(name)
    out.append(_text((left + right) / 2, height - 8, x_label, anchor="middle"))
    out.append(f'<text x="14" y="{(top + bottom) / 2:.0f}" text-anchor="middle" fill="{_TEXT}" '
               f'transform="rotate(-90 14 {(top + bottom) / 2:.0f})">{escape(y_label)}</text>')
    return "".join([*out, "</svg>"])


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers that span [low, high], about ``count`` steps of 1, 2 or 5 × 10ⁿ."""
    from math import ceil, floor, log10

    span = high - low
    if span <= 0:
        return [low]
    raw = span / count
    power = 10.0 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    return [i * step for i in range(floor(low / step + 1e-9), ceil(high / step - 1e-9) + 1)]


def _open(width: int, height: int) -> str:
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="inherit" font-size="12" role="img">')


def _text(x: float, y: float, text: str, *, anchor: str = "start", color: str = _TEXT) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{escape(text)}</text>'


__all__ = ["COLORS", "bars", "curve", "histogram", "nice_ticks"]
