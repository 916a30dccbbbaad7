"""Colours that board makers offer. sRGB, 0 to 1, as they look in diffuse daylight, read off product photographs."""
from __future__ import annotations

from typing import NamedTuple

from scenes.optics import Rgb

FINISHES = ("enig", "hasl", "osp", "tin")


class MaskColor(NamedTuple):
    """A lacquer over bare laminate and over copper, and the silkscreen that goes with it."""

    mask: Rgb
    mask_over_copper: Rgb
    silk: Rgb


WHITE, BLACK = (0.90, 0.91, 0.88), (0.08, 0.08, 0.09)
MASK_COLORS: dict[str, MaskColor] = {
    "green": MaskColor((0.02, 0.25, 0.10), (0.05, 0.42, 0.16), WHITE),
    "dark_green": MaskColor((0.02, 0.15, 0.08), (0.03, 0.26, 0.13), WHITE),
    "blue": MaskColor((0.03, 0.10, 0.32), (0.05, 0.20, 0.52), WHITE),
    "red": MaskColor((0.38, 0.03, 0.04), (0.60, 0.08, 0.07), WHITE),
    "black": MaskColor((0.04, 0.04, 0.045), (0.10, 0.095, 0.09), WHITE),
    "white": MaskColor((0.82, 0.82, 0.79), (0.88, 0.86, 0.80), BLACK),
    "purple": MaskColor((0.16, 0.05, 0.26), (0.30, 0.11, 0.40), WHITE),
    "yellow": MaskColor((0.62, 0.52, 0.06), (0.78, 0.62, 0.12), BLACK),
}

__all__ = ["FINISHES", "MASK_COLORS", "MaskColor"]
