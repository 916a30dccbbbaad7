"""Text as strokes, in KiCad's own stroke font (Newstroke, shipped by gerbonara).

Frame: millimetres, y down, the text's anchor at the origin, before it is turned. Layout follows pcbnew: vertical and
horizontal justification, several lines, mirrored and italic text, overbars, sub- and superscript.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

TAB = 2.4  # distance of tab stops [text width]
LINE_PITCH = 1.62  # distance of two lines [text height]
ITALIC = 1.0 / 8.0  # shear
SCRIPT_SIZE, SUPER_RISE, SUB_DROP = 0.8, 0.35, 0.15  # of sub- and superscript [text size]
OVERBAR = 1.23  # height of the bar over the base line [text height]
# pcbnew 6 to 9: a line is 1.17 high, glyphs sit 2/21 lower than they are drawn here, and the pen shifts both ways
LINE, GLYPH_DROP, PEN_X, PEN_Y = 1.17, 2.0 / 21.0, 1.0 / 1.52, 0.052


@dataclass(frozen=True)
class TextStyle:
    """How a text is set."""

    width: float  # [mm] of a nominal character
    height: float  # [mm]
    horizontal: Literal["left", "center", "right"] = "center"
    vertical: Literal["top", "center", "bottom"] = "center"
    mirrored: bool = False
    italic: bool = False
    pen: float = 0.0  # [mm] line width; pcbnew shifts what is not centred by a part of it
    legacy: bool = False  # KiCad 5: ~NAME~ in place of ~{NAME}, text not shifted


@cache
def _font() -> list[bytes]:
    """The source line of each glyph, one per code point from 32; decoding all 65 thousand would take a quarter of a second."""
    from importlib.resources import files

    lines = files("gerbonara").joinpath("data", "newstroke_font.cpp").read_bytes().splitlines()
    start = next(i for i, line in enumerate(lines) if re.search(rb"char.*\*", line))
    return [line for line in lines[start + 1 :] if b'"' in line]


@cache
def _glyph(character: str) -> tuple[float, tuple[Points, ...]]:
    """Advance and strokes of one character, in units of the text's size, y down from the line's base.

    The code is Hershey's: pairs of characters relative to 'R', 21 units to the text's height, ' R' lifts the pen. pcbnew
    raises every glyph by 10 units, which puts a capital's foot one unit above the base.
    """
    font = _font()
    index = ord(character) - 32
    line = font[index if 0 <= index < len(font) else ord("?") - 32]
    code = line[line.index(b'"') + 1 : line.rindex(b'"')].replace(b"\\\\", b"\\").replace(b'\\"', b'"')
    if len(code) < 2:
        return _glyph("?")
    left, right = code[0] - 0x52, code[1] - 0x52
    strokes = []
    for part in code[2:].split(b" R"):
        if len(part) >= 2:
            pairs = np.frombuffer(part[: len(part) // 2 * 2], np.uint8).reshape(-1, 2).astype(float) - 0x52
            strokes.append((pairs - [left, 10.0]) / 21.0)
    return (right - left) / 21.0, tuple(strokes)


_MARK = re.compile(r"([~^_])\{")


def _runs(line: str, tilde_bars: bool) -> Iterator[tuple[str, str]]:
    """Pieces of a line with their mark: "", "~" overbar, "^" superscript, "_" subscript. Nested marks keep the inner one."""
    if tilde_bars:
        for index, piece in enumerate(line.replace("~~", "\0").split("~")):
            if piece:
                yield piece.replace("\0", "~"), "~" if index % 2 else ""
        return
    stack: list[str] = []
    text, position = "", 0
    while position < len(line):
        match = _MARK.match(line, position)
        if match or (stack and line[position] == "}"):
            if text:
                yield text, stack[-1] if stack else ""
            text = ""
            if match:
                stack.append(match[1])
                position = match.end()
            else:
                stack.pop()
                position += 1
            continue
        text += line[position]
        position += 1
    if text:
        yield text, stack[-1] if stack else ""


def _set_line(line: str, style: TextStyle) -> tuple[list[Points], float]:
    """Strokes of one line from x = 0 on the base line, and its width."""
    strokes: list[Points] = []
    x = 0.0
    size = np.array([style.width, style.height])
    for text, mark in _runs(line, style.legacy):
        scale = size * (SCRIPT_SIZE if mark in "^_" and mark else 1.0)
        rise = {"^": -SUPER_RISE, "_": SUB_DROP}.get(mark, 0.0) * style.height
        start = x
        for character in text:
            if character == "\t":
                x = (np.floor(x / (TAB * scale[0])) + 1) * TAB * scale[0]
            else:
                advance, glyph = _glyph(character)
                strokes.extend(stroke * scale + [x, rise] for stroke in glyph)
                x += advance * scale[0]
        if mark == "~" and x > start:
            strokes.append(
                np.array([[start + 0.1 * style.width, -OVERBAR * style.height], [x - 0.1 * style.width, -OVERBAR * style.height]])
            )
    return strokes, x


def text_strokes(text: str, style: TextStyle) -> list[Points]:
    """Pen strokes of a text about its anchor, each of shape (N, 2) [mm], y down.

    A stroke of one point is a dot and comes back as two equal points.
    """
    lines = text.split("\n")
    pitch = LINE_PITCH * style.height
    below = (len(lines) - 1) * pitch
    edge = 0.0 if style.legacy else style.pen * PEN_X
    if style.legacy:
        base = {"top": style.height, "center": style.height / 2 - below / 2, "bottom": -below}[style.vertical]
    else:
        full = LINE * style.height + below
        base = (
            style.height * (1.0 + GLYPH_DROP)
            - style.pen * PEN_Y
            - {"top": 0.0, "center": full / 2, "bottom": full}[style.vertical]
        )
    out = []
    for row, line in enumerate(lines):
        strokes, width = _set_line(line, style)
        shift = {"left": edge, "center": -width / 2, "right": -width - edge}[style.horizontal]
        for stroke in strokes:
            points = stroke + np.array([shift, 0.0])
            if style.italic:
                points = np.column_stack([points[:, 0] - ITALIC * points[:, 1], points[:, 1]])
            points = points + np.array([0.0, base + row * pitch])
            if style.mirrored:
                points = points * [-1.0, 1.0]
            out.append(points if len(points) > 1 else np.repeat(points, 2, axis=0))
    return out


def wrap(text: str, width: float, style: TextStyle) -> str:
    """Text with line breaks between words so that lines fit into ``width`` [mm] where their words allow it."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and _set_line(longer, style)[1] > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return "\n".join(lines)


__all__ = ["TextStyle", "text_strokes", "wrap"]
