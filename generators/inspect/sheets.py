"""Contact sheets: crops of each defect with its masks drawn on top, and whole frames with every label."""
from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from generators.dataset.rows import Labelled
from generators.masks import Box, Rle, rle_crop

CELL, CAPTION, GAP = 216, 34, 10               # [px]
_VISIBLE, _AMODAL, _PART = (255, 40, 220), (60, 230, 255), (130, 255, 150)   # colours that boards do not have
_PAPER, _INK, _MUTED = (255, 255, 255), (31, 41, 51), (102, 114, 127)


@dataclass(frozen=True, eq=False)
class Crop:
    """One cell of a sheet."""
    image: NDArray[np.uint8]                   # (CELL, CELL, 3)
    title: str
    note: str

    def jpeg(self) -> bytes:
        return jpeg(Image.fromarray(self.image))


def crop(rgb: NDArray[np.uint8], item: Labelled, title: str, note: str) -> Crop:
    """The surroundings of an instance, enlarged by whole pixels where it is small, outlines one screen pixel wide.

    Magenta follows the visible pixels, cyan the amodal ones where they differ.
    """
    x, y, w, h = item.amodal_box
    side = max(32, math.ceil(1.9 * max(w, h)))
    side = min(side, *rgb.shape[:2])
    x0 = min(max(x + w // 2 - side // 2, 0), rgb.shape[1] - side)
    y0 = min(max(y + h // 2 - side // 2, 0), rgb.shape[0] - side)
    picture = Image.fromarray(rgb[y0:y0 + side, x0:x0 + side])
    method = Image.Resampling.BICUBIC if side <= CELL else Image.Resampling.BOX
    canvas = np.asarray(picture.resize((CELL, CELL), method)).copy()
    window = (x0, y0, side, side)
    if item.amodal_rle["counts"] != item.rle["counts"]:
        _trace(canvas, _outline(item.amodal_rle, window), _AMODAL)
    if not item.hidden:
        _trace(canvas, _outline(item.rle, window), _VISIBLE)
    return Crop(canvas, title, note)


def _trace(canvas: NDArray[np.uint8], edge: NDArray[np.bool_], color: tuple[int, int, int]) -> None:
    """Draw an edge with a darkened line beside it, so that it shows on any colour."""
    shadow = np.zeros_like(edge)
    shadow[1:, 1:] = edge[:-1, :-1]
    canvas[shadow & ~edge] //= 3
    canvas[edge] = color


def _outline(rle: Rle, window: Box) -> NDArray[np.bool_]:
    """The outer edge of a mask in a window, at the size of a cell (CELL, CELL)."""
    x0, y0, side, _ = window
    mask = np.zeros((side, side), np.bool_)
    found = rle_crop(rle)
    if found is not None:
        (x, y, w, h), inside = found
        left, top, right, bottom = max(x, x0), max(y, y0), min(x + w, x0 + side), min(y + h, y0 + side)
        if right > left and bottom > top:
            mask[top - y0:bottom - y0, left - x0:right - x0] = inside[top - y:bottom - y, left - x:right - x]
    at = (np.arange(CELL) * side) // CELL
    large = mask[np.ix_(at, at)]
    around = np.zeros_like(large)
    for axis in (0, 1):
        for step in (-1, 1):
            rolled = np.roll(large, step, axis)
            edge = [slice(None), slice(None)]
            edge[axis] = slice(0, 1) if step == 1 else slice(-1, None)
            rolled[tuple(edge)] = large[tuple(edge)]             # the window's border is no edge of the mask
            around |= rolled
    return around & ~large


def sheet(crops: Sequence[Crop], columns: int = 5) -> bytes:
    """Crops side by side with their captions, as a JPEG: a contact sheet for a document. (Pillow's own font has no µ.)"""
    columns = min(columns, len(crops))
    rows = -(-len(crops) // columns)
    page = Image.new("RGB", (columns * (CELL + GAP) - GAP, rows * (CELL + CAPTION + GAP) - GAP), _PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    small = ImageFont.load_default(11)
    for i, cell in enumerate(crops):
        x, y = (i % columns) * (CELL + GAP), (i // columns) * (CELL + CAPTION + GAP)
        page.paste(Image.fromarray(cell.image), (x, y))
        draw.text((x, y + CELL + 2), _fit(cell.title.replace("µ", "u"), 30), _INK, font)
        draw.text((x, y + CELL + 18), _fit(cell.note.replace("µ", "u"), 38), _MUTED, small)
    return jpeg(page)


def overview(rgb: NDArray[np.uint8], instances: Sequence[Labelled]) -> bytes:
    """A whole frame with its labels, as a JPEG."""
    return jpeg(annotated(rgb, instances, 1180))


def annotated(rgb: NDArray[np.uint8], instances: Sequence[Labelled], width: int) -> Image.Image:
    """A whole frame: parts in green, defects in magenta with their name, hidden ones in cyan."""
    scale = width / rgb.shape[1] if rgb.shape[1] > width else float(max(1, 640 // rgb.shape[1]))
    method = Image.Resampling.BOX if scale < 1.0 else Image.Resampling.NEAREST
    page = Image.fromarray(rgb).resize((round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)), method)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(20)     # shown at half this size
    for item in sorted(instances, key=lambda i: bool(i.defect)):          # defects on top
        x, y, w, h = (v * scale for v in item.amodal_box)
        color = _PART if not item.defect else _AMODAL if item.hidden else _VISIBLE
        thick = 3 if item.defect else 2
        draw.rectangle((x - thick - 1, y - thick - 1, x + w + thick, y + h + thick), outline=(0, 0, 0), width=thick + 1)
        draw.rectangle((x - thick, y - thick, x + w + thick - 1, y + h + thick - 1), outline=color, width=thick)
        if item.defect:
            text = f"{item.category} {item.component}".strip()
            left, top, right, bottom = draw.textbbox((0, 0), text, font)
            tx = min(max(x, 0), page.width - (right - left) - 6)
            ty = y - (bottom - top) - 12 if y > 32 else min(y + h + 4, page.height - 26)
            draw.rectangle((tx, ty, tx + right - left + 6, ty + bottom - top + 6), fill=color)
            draw.text((tx + 3, ty + 3 - top), text, (255, 255, 255) if color == _VISIBLE else (0, 0, 0), font)
    return page


def _fit(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length - 1] + "…"


def jpeg(page: Image.Image) -> bytes:
    """A page as it goes into a report."""
    out = io.BytesIO()
    page.save(out, "JPEG", quality=88, subsampling=0)
    return out.getvalue()


__all__ = ["Crop", "annotated", "crop", "jpeg", "overview", "sheet"]
