"""What an AOI light does to a surface, as a small table that any renderer can sample. NumPy only.

Rings and the dome look the same from every azimuth, so their radiance depends on the zenith angle alone. A surface then
sees them through two kernels: the part of a reflected GGX lobe, or of the cosine-weighted hemisphere, that lies inside a
cap of zenith angles. A tier is the difference of two caps. The sum over all lamps is tabulated once per ``Lighting``:

* rows 0 … ROUGHNESS_ROWS−1: radiance reflected by a mirror of GGX roughness α = (row / (ROUGHNESS_ROWS−1))², over
  u = sin(θ/2), θ the zenith angle of the reflected ray;
* the last row: what a white diffuser renders as, over u = sin(θ/2), θ the tilt of its normal; also as a cubic in cos θ.

Below the horizon the board itself is seen; it is taken as a grey diffuser (``GROUND_ALBEDO``).
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scenes.optics import Lighting

F64 = NDArray[np.float64]

COLUMNS = 256                                  # resolution in sin(θ/2): 0.45° near the zenith
ROUGHNESS_ROWS = 16
GROUND_ALBEDO = 0.10                           # mean reflectance of a populated green board, engineering default
_LOBE_SAMPLES = 24


def tilts() -> F64:
    """Zenith angles [rad] of the table's columns, shape (COLUMNS,)."""
    return 2 * np.arcsin(np.arange(COLUMNS) / (COLUMNS - 1))


def roughness_rows() -> F64:
    """GGX α of the table's rows, shape (ROUGHNESS_ROWS,)."""
    return np.asarray((np.arange(ROUGHNESS_ROWS) / (ROUGHNESS_ROWS - 1)) ** 2)


@lru_cache(maxsize=64)
def reflected_share(cap: float) -> F64:
    """Share of a GGX lobe about a reflected ray that lies within ``cap`` [rad] of the zenith, (ROUGHNESS_ROWS, COLUMNS).

    The lobe is the one of normal incidence (D(h) cos h, weighted with the cosine of the lit direction), turned to the ray.
    """
    tilt = tilts()
    # equal-energy samples of the half vector's angle: P(h) = tan²h / (α² + tan²h), inverted
    share = (np.arange(_LOBE_SAMPLES) + 0.5) / _LOBE_SAMPLES
    rows = []
    for alpha in np.maximum(roughness_rows(), 1e-3):
        half = np.arctan(alpha * np.sqrt(share / (1 - share)))
        spread = 2 * half
        weight = np.maximum(np.cos(spread), 0.0)
        weight /= weight.sum()
        across = np.sin(tilt)[:, None] * np.sin(spread)
        level = np.cos(cap) - np.cos(tilt)[:, None] * np.cos(spread)
        inside = np.where(across > 1e-12, np.arccos(np.clip(level / np.maximum(across, 1e-12), -1, 1)) / np.pi, level <= 0)
        rows.append(inside @ weight)
    return np.array(rows)


@lru_cache(maxsize=64)
def diffuse_share(cap: float) -> F64:
    """(1/π) ∫ max(0, n·l) over directions within ``cap`` [rad] of the zenith, per tilt of the normal, shape (COLUMNS,).

    sin²(cap) for a level surface.
    """
    count = 24
    square = (np.arange(count) + 0.5) / count * np.sin(min(cap, np.pi / 2)) ** 2      # uniform in sin²: exact when level
    sin, cos = np.sqrt(square), np.sqrt(1 - square)
    azimuth = (np.arange(48) + 0.5) / 48 * np.pi
    tilt = tilts()[:, None, None]
    facing = np.cos(tilt) * cos[:, None] + np.sin(tilt) * sin[:, None] * np.cos(azimuth)
    measure = np.sin(min(cap, np.pi / 2)) ** 2 / cos / count / len(azimuth)            # dω/π = d(sin²θ) dφ / (2π cosθ)
    return np.asarray((np.maximum(facing, 0.0) * measure[:, None]).sum(axis=(1, 2)))


def environment(lighting: Lighting) -> NDArray[np.float32]:
    """The table of one lighting: linear radiance before exposure, float32 (ROUGHNESS_ROWS + 1, COLUMNS, 3)."""
    table = np.zeros((ROUGHNESS_ROWS + 1, COLUMNS, 3))

    def cap(angle: float) -> F64:
        return np.vstack([reflected_share(angle), diffuse_share(angle)])

    horizon = cap(np.pi / 2)
    table += horizon[:, :, None] * np.asarray(lighting.dome)
    for ring in lighting.rings:
        table += (cap(ring.zenith_max) - cap(ring.zenith_min))[:, :, None] * np.asarray(ring.radiance)
    ground = GROUND_ALBEDO * table[-1, 0]
    table[:-1] += (1 - horizon[:-1])[:, :, None] * ground
    table[-1] += ((1 - np.cos(tilts())) / 2)[:, None] * ground
    return table.astype(np.float32)


def diffuse_cubic(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The last row of an environment as a cubic in c = cos θ, float32 (4, 3): Σ k_i (1 − c)^i. Exact for a level surface."""
    rest = 1 - np.cos(tilts())
    terms = np.stack([rest, rest**2, rest**3], axis=1)
    near = rest <= 1.2                         # what a camera above the board sees
    fit, *_ = np.linalg.lstsq(terms[near], table[-1][near] - table[-1, 0], rcond=None)
    return np.concatenate([table[-1, :1], fit]).astype(np.float32)


def level_diffuser(lighting: Lighting) -> F64:
    """What a level white diffuser renders as before exposure, linear RGB (3,): rings, dome and lamps, nothing shaded."""
    total = np.asarray(lighting.dome, float)
    for ring in lighting.rings:
        total = total + np.asarray(ring.radiance) * (np.sin(ring.zenith_max) ** 2 - np.sin(ring.zenith_min) ** 2)
    for lamp in lighting.directional:
        total = total + np.asarray(lamp.irradiance) * max(lamp.direction[2], 0.0)
    return total


__all__ = ["COLUMNS", "GROUND_ALBEDO", "ROUGHNESS_ROWS", "diffuse_cubic", "diffuse_share", "environment", "level_diffuser",
           "reflected_share", "roughness_rows", "tilts"]
