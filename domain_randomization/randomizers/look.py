"""Surfaces: lacquer colour and gloss, finish, silkscreen, part colours, markings, background."""
from __future__ import annotations

import colorsys
from dataclasses import replace
from typing import cast

import numpy as np

from domain_randomization.randomizers.palettes import MASK_COLORS
from domain_randomization.recipe import LookRange
from scenes.optics import Look, Rgb


def vary_look(look: Look, ranges: LookRange, rng: np.random.Generator) -> Look:
    """Draw how a product's surfaces look.

    Args:
        look: What is not varied is passed through (``extra``).
        ranges: Distributions; colours from the palette, then shifted in hue [deg] and lightness [1].
        rng: The sample's ``"look"`` stream. Always 16 draws.

    Returns:
        A new look; ``marking_seed`` is a new one too, so lot codes and fonts differ between samples.
    """
    u = rng.random(16).tolist()
    colors = MASK_COLORS[ranges.mask_color.at(u[0])]
    hue, lightness = ranges.mask_hue_deg.at(u[1]) / 360, ranges.mask_lightness.at(u[2])
    return replace(
        look,
        mask=_shifted(colors.mask, hue, lightness),
        mask_over_copper=_shifted(colors.mask_over_copper, hue, lightness),
        silk=_shifted(colors.silk, 0.0, ranges.silk_lightness.at(u[3])),
        laminate=_shifted(look.laminate, 0.0, ranges.laminate_lightness.at(u[4])),
        finish=ranges.finish.at(u[5]),
        finish_tint=cast(Rgb, tuple(ranges.finish_tint.at(v) for v in u[6:9])),
        mask_roughness=ranges.mask_roughness.at(u[9]),
        finish_roughness=ranges.finish_roughness.at(u[10]),
        solder_roughness=ranges.solder_roughness.at(u[11]),
        part_tint=ranges.part_tint.at(u[12]),
        marking_contrast=ranges.marking_contrast.at(u[13]),
        background=(ranges.background.at(u[14]),) * 3,
        marking_seed=int(u[15] * (1 << 31)),
    )


def _shifted(color: Rgb, hue: float, lightness: float) -> Rgb:
    """Turn the hue [turns] and scale the lightness of an sRGB colour; the result stays in 0 to 1."""
    h, level, s = colorsys.rgb_to_hls(*color)
    return cast(Rgb, tuple(min(max(v, 0.0), 1.0) for v in colorsys.hls_to_rgb((h + hue) % 1.0, min(level * lightness, 1.0), s)))


__all__ = ["vary_look"]
