"""Numbers that a shader needs about surfaces: the material table, and a Look in linear light."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generators.render.develop import srgb_to_linear
from scenes.materials import TABLE, Material, index
from scenes.optics import Look

F32 = NDArray[np.float32]

FINISH = {"enig": "gold_enig", "hasl": "solder_sac305", "osp": "copper", "tin": "tin"}
DIELECTRIC_F0 = 0.04                           # normal reflectance of a polymer or glass with n = 1.5


def material_table(table: Sequence[Material] = TABLE) -> F32:
    """(M, 8) float32: linear base colour, metallic, roughness (perceptual, α = roughness²), three zeros."""
    out = np.zeros((len(table), 8), np.float32)
    for row, material in zip(out, table, strict=True):
        row[:3], row[3], row[4] = material.base_color, material.metallic, material.roughness
    return out


def finish_reflectance(look: Look, table: Sequence[Material] = TABLE) -> tuple[float, float, float]:
    """Linear normal reflectance of the exposed copper finish, tinted by the look."""
    base = table[index(FINISH[look.finish])].base_color
    r, g, b = np.clip(np.asarray(base) * np.asarray(look.finish_tint), 0, 1)
    return float(r), float(g), float(b)


def look_colors(look: Look, table: Sequence[Material] = TABLE) -> dict[str, tuple[float, ...]]:
    """The look's colours in linear light, by the shaders' uniform names."""
    named = {"mask_color": look.mask, "mask_copper_color": look.mask_over_copper, "silk_color": look.silk,
             "laminate_color": look.laminate, "background_color": look.background}
    out = {name: tuple(float(v) for v in srgb_to_linear(color)) for name, color in named.items()}
    out["finish_color"] = finish_reflectance(look, table)
    return out


__all__ = ["DIELECTRIC_F0", "FINISH", "finish_reflectance", "look_colors", "material_table"]
