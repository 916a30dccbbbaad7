"""Colour: Lambert and one GGX lobe from the stage's lamps, without shadows, for direction-only lighting around one point.

The film follows photography: f/5, 1/50 s and ISO 100, RTX's defaults as remembered, take 78·N²/(0.65·t·S) = 1500 cd/m² as
white. RTX's filmic curve is left out: values are clipped and encoded as sRGB.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin_standin.scene import World

if TYPE_CHECKING:
    from twin_standin.frame import Optics

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
WHITE = 1500.0                                 # [cd/m²] that becomes 1
_SIDE = 65                                     # places a side in the table of directions
_ROUGH = np.array([0.04, 0.1, 0.16, 0.22, 0.3, 0.4, 0.55, 0.75, 1.0])


def developed(radiance: F64) -> NDArray[np.uint8]:
    """Radiance [cd/m²] → sRGB bytes."""
    x = np.clip(radiance / WHITE, 0, 1)
    return np.round(255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)).astype(np.uint8)


def opacities(world: World, face: NDArray[np.int64], weight: F64) -> F64:
    """How much of each hit surface is there, (K,): 0 where it is cut out."""
    out = np.ones(len(face))
    surface = world.surface[face]
    for number in np.unique(surface):
        material = world.surfaces[number]
        if material.clear:
            mine = np.flatnonzero(surface == number)
            value = material.opacity(*_inputs(world, face[mine], weight[mine], material.reads))[:, 0]
            out[mine] = value if material.threshold <= 0 else value >= material.threshold
    return out


def _inputs(world: World, face: NDArray[np.int64], weight: F64, reads: dict[str, int]) -> tuple[F32, dict[str, F32]]:
    w = weight.astype(np.float32)
    return (np.einsum("kc,kcd->kd", w, world.st[face]),
            {name: np.einsum("kc,kcd->kd", w, world.primvars[name][face]) for name in reads})


class Light:
    """Tables over the direction of the normal (diffuse) and of the mirrored view (one per roughness)."""

    def __init__(self, world: World, optics: Optics, middle: F64) -> None:
        turn, origin = optics.to_world[:3, :3], optics.to_world[3, :3]
        point = middle @ turn + origin
        self.dome = np.sum([lamp.radiance for lamp in world.lamps if lamp.kind == "dome"], axis=0) + np.zeros(3)
        self.background = self.dome            # a dome is seen by the camera, as in RTX
        directions, irradiance, spread = [], [], []
        for lamp in world.lamps:
            if lamp.kind == "distant":
                directions.append(-lamp.axis)
                irradiance.append(lamp.radiance)
                spread.append(np.sin(lamp.half_angle) ** 2)
            elif lamp.kind == "area":
                away = lamp.position - point
                square = max(float(away @ away), 1e-12)
                away = away / np.sqrt(square)
                seen = max(float(-(away @ lamp.axis)), 0.0) if lamp.flat else 1.0
                directions.append(away)
                irradiance.append(lamp.radiance * lamp.area * seen / square)
                spread.append(lamp.area / np.pi / square)
        grid = _directions()
        self.diffuse = np.tile(self.dome, (len(grid), 1))
        self.mirror = np.tile(self.dome, (len(_ROUGH), len(grid), 1))
        if directions:
            to_light, power, size = np.array(directions), np.array(irradiance), np.array(spread)
            cosine = np.clip(grid @ to_light.T, 0, 1)
            self.diffuse += cosine @ power / np.pi
            for row, rough in zip(self.mirror, _ROUGH, strict=True):
                # the lobe about the mirrored direction: half vector's GGX, widened by the lamp's size
                alpha2 = np.minimum(rough**4 + size / 4, 1.0)
                half2 = np.clip((1 + grid @ to_light.T) / 2, 0, 1)     # cos² of half the angle between lobe and lamp
                lobe = alpha2 / (np.pi * (half2 * (alpha2 - 1) + 1) ** 2) / 4
                row += (lobe * (half2 > 0.5)) @ power

    def reflected(self, world: World, face: NDArray[np.int64], weight: F64, normal: F32, along: F64) -> F64:
        """Radiance (K, 3) towards the camera."""
        color, metallic, rough, glow, dielectric = (np.zeros((len(face), n), np.float32) for n in (3, 1, 1, 3, 1))
        surface = world.surface[face]
        for number in np.unique(surface):
            material, mine = world.surfaces[number], np.flatnonzero(surface == number)
            given = _inputs(world, face[mine], weight[mine], material.reads)
            color[mine], metallic[mine] = material.color(*given), material.metallic(*given)
            rough[mine], glow[mine] = material.roughness(*given), material.emissive(*given)
            dielectric[mine] = ((material.ior - 1) / (material.ior + 1)) ** 2
        along = along / np.linalg.norm(along, axis=1, keepdims=True)
        towards = np.clip(-np.einsum("kd,kd->k", along, normal), 0, 1)
        mirrored = along + 2 * towards[:, None] * normal
        f0 = dielectric * (1 - metallic) + color * metallic
        fresnel = f0 + (1 - f0) * ((1 - towards) ** 5)[:, None] * (f0 > 0)
        level = np.interp(rough[:, 0], _ROUGH, np.arange(len(_ROUGH)))
        low = np.minimum(level.astype(np.int64), len(_ROUGH) - 2)
        share = (level - low)[:, None]
        at = _cell(mirrored)
        shine = self.mirror[low, at] * (1 - share) + self.mirror[low + 1, at] * share
        return color * (1 - metallic) * self.diffuse[_cell(normal)] + fresnel * shine + glow


def _directions() -> F64:
    """(S·S, 3) unit vectors, octahedral map."""
    u, v = np.meshgrid(np.linspace(-1, 1, _SIDE), np.linspace(-1, 1, _SIDE), indexing="xy")
    z = 1 - np.abs(u) - np.abs(v)
    fold = np.maximum(-z, 0)
    x, y = u - np.copysign(fold, u), v - np.copysign(fold, v)
    out = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def _cell(direction: NDArray[np.floating]) -> NDArray[np.int64]:
    """The nearest place of the table."""
    d = direction / np.maximum(np.abs(direction).sum(axis=1, keepdims=True), 1e-12)
    x, y = d[:, 0], d[:, 1]
    under = d[:, 2] < 0
    u = np.where(under, np.copysign(1 - np.abs(y), x), x)
    v = np.where(under, np.copysign(1 - np.abs(x), y), y)
    half = (_SIDE - 1) / 2
    return (np.round((v + 1) * half) * _SIDE + np.round((u + 1) * half)).astype(np.int64)
