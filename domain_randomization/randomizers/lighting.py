"""Lamps: exposure, the gain of every lamp, where the directional ones stand, colour temperature."""
from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import numpy as np

from domain_randomization.recipe import LightingRange
from scenes.optics import Directional, Lighting, Rgb

XYZ_TO_RGB = np.array([[3.2404542, -1.5371385, -0.4985314],    # to linear sRGB, D65 white: IEC 61966-2-1
                       [-0.9692660, 1.8760108, 0.0415560],
                       [0.0556434, -0.2040259, 1.0572252]])


def vary_lighting(lighting: Lighting, ranges: LightingRange, rng: np.random.Generator) -> Lighting:
    """Draw how the lamps differ from the ones the scene authored.

    Args:
        lighting: Of the station, with R rings and D directional lamps.
        ranges: Distributions; gains are factors, angles are added.
        rng: The sample's ``"lighting"`` stream. Always 3 + R + 3 D draws.

    Returns:
        New lighting. The colour temperature goes into ``white_balance``: gains of the channels under these lamps of a
        camera that sees ``balanced_k`` as white, with the green one held at its value.
    """
    rings, lamps = len(lighting.rings), len(lighting.directional)
    u = rng.random(3 + rings + 3 * lamps).tolist()
    tint = np.array(black_body(ranges.temperature_k.at(u[2]))) / np.array(black_body(ranges.balanced_k))
    tint /= tint[1]
    ring_u, lamp_u = u[3:3 + rings], u[3 + rings:]
    return replace(
        lighting,
        exposure=lighting.exposure * ranges.exposure_gain.at(u[0]),
        dome=_scaled(lighting.dome, ranges.dome_gain.at(u[1])),
        rings=tuple(replace(ring, radiance=_scaled(ring.radiance, ranges.ring_gain.at(v)))
                    for ring, v in zip(lighting.rings, ring_u, strict=True)),
        directional=tuple(_turned(lamp, ranges, *lamp_u[3 * i:3 * i + 3]) for i, lamp in enumerate(lighting.directional)),
        white_balance=cast(Rgb, tuple((np.array(lighting.white_balance) * tint).tolist())),
    )


def _scaled(color: Rgb, gain: float) -> Rgb:
    return color[0] * gain, color[1] * gain, color[2] * gain


def _turned(lamp: Directional, ranges: LightingRange, u_gain: float, u_elevation: float, u_azimuth: float) -> Directional:
    x, y, z = lamp.direction
    elevation = math.asin(max(-1.0, min(1.0, z))) + math.radians(ranges.lamp_elevation_deg.at(u_elevation))
    azimuth = math.atan2(y, x) + math.radians(ranges.lamp_azimuth_deg.at(u_azimuth))
    elevation = min(max(elevation, math.radians(1.0)), math.pi / 2)       # a lamp below the board would light nothing
    direction = (math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth), math.sin(elevation))
    return replace(lamp, direction=direction, irradiance=_scaled(lamp.irradiance, ranges.lamp_gain.at(u_gain)))


def chromaticity(temperature: float) -> tuple[float, float]:
    """CIE 1931 (x, y) of a black body at ``temperature`` [K], 1667 to 25000 K.

    Cubic fit of Kim et al., US patent 7024034 (2006), within 1e-3 of the Planckian locus.
    """
    t = 1e3 / temperature
    if temperature <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if temperature <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif temperature <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x, y


def black_body(temperature: float) -> Rgb:
    """Linear sRGB of a black body at ``temperature`` [K] with luminance 1."""
    x, y = chromaticity(temperature)
    rgb = XYZ_TO_RGB @ np.array([x / y, 1.0, (1 - x - y) / y])
    return cast(Rgb, tuple(max(float(v), 1e-3) for v in rgb))


__all__ = ["black_body", "chromaticity", "vary_lighting"]
