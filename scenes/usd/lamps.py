"""A ring light's tier as UsdLux disks.

UsdLux has no ring at infinity. Disks on a sphere about the product's middle, each with its share of the tier's solid angle, give
the same irradiance there: E = L · Σ Ω cos θ. They stay at their station, where a texture on a dome would light the whole hall.
"""
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.optics import Ring

COUNT = 12                                     # disks of a tier: as many segments as common ring lights have
DISTANCE = 0.25                                # [m] of a lamp from the product's middle; above the cameras' focus, under the hood


def looking_along(direction: Sequence[float]) -> NDArray[np.float64]:
    """A pose whose z axis points to ``direction``: a lamp that lies there shines back along its −z."""
    z = np.asarray(direction, float)
    z = z / np.linalg.norm(z)
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = x, np.cross(z, x), z
    return pose


def segments(ring: Ring, middle: Sequence[float]) -> tuple[float, list[NDArray[np.float64]]]:
    """Radius [m] of the disks of one tier, and their poses in the frame of ``middle`` (x, y, z) [m].

    Their zenith angle θ is the one with the tier's own cosine-weighted mean, so that a flat board gets the tier's irradiance.
    """
    low, high = ring.zenith_min, ring.zenith_max
    solid = 2 * math.pi * (math.cos(low) - math.cos(high))
    mean = math.acos((math.cos(low) + math.cos(high)) / 2)
    radius = DISTANCE * math.sqrt(solid / COUNT / math.pi)
    poses = []
    for k in range(COUNT):
        azimuth = 2 * math.pi * (k + 0.5) / COUNT
        direction = (math.sin(mean) * math.cos(azimuth), math.sin(mean) * math.sin(azimuth), math.cos(mean))
        pose = looking_along(direction)
        pose[:3, 3] = np.asarray(middle, float) + DISTANCE * np.asarray(direction)
        poses.append(pose)
    return radius, poses


__all__ = ["COUNT", "DISTANCE", "looking_along", "segments"]
