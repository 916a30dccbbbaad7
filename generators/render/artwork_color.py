"""The board's artwork as ordinary colour and roughness textures, for renderers without our shader."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generators.render.surfaces import look_colors
from generators.render.view import Window
from scenes.geometry import Coverage
from scenes.materials import TABLE, Material
from scenes.optics import Look

U8 = NDArray[np.uint8]


def crop(coverage: Coverage, area: Window, limit: int) -> tuple[U8, Window]:
    """The texels under ``area``, thinned by a whole step to at most ``limit`` a side, and the rectangle [m] they cover."""
    height, width = coverage.texels.shape[:2]
    size, (x0, y0) = coverage.texel_size, coverage.origin
    c0, c1 = (int(np.clip(v, 0, width)) for v in (np.floor((area.x0 - x0) / size), np.ceil((area.x1 - x0) / size)))
    rows = np.floor(height - (area.y1 - y0) / size), np.ceil(height - (area.y0 - y0) / size)
    r0, r1 = (int(np.clip(v, 0, height)) for v in rows)
    c1, r1 = max(c1, c0 + 1), max(r1, r0 + 1)
    step = max(1, -(-max(c1 - c0, r1 - r0) // limit))
    return (np.ascontiguousarray(coverage.texels[r0:r1:step, c0:c1:step]),
            Window(x0 + c0 * size, y0 + (height - r1) * size, x0 + c1 * size, y0 + (height - r0) * size))


def compose(texels: U8, look: Look, table: Sequence[Material] = TABLE) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Linear base colour (H, W, 3), and metallic and roughness (H, W, 2), of texels as in ``Coverage``."""
    copper, opening, silk, laminate = (texels[..., i].astype(np.float32)[..., None] / np.float32(255) for i in range(4))
    colors = {name: np.asarray(value, np.float32) for name, value in look_colors(look, table).items()}
    metal = copper * opening
    print_ = silk * (1 - opening)
    color = colors["mask_color"] * (1 - copper) + colors["mask_copper_color"] * copper
    color = color * (1 - print_) + colors["silk_color"] * print_
    color = color * (1 - opening) + colors["laminate_color"] * opening
    color = color * (1 - metal) + colors["finish_color"] * metal
    matt = np.maximum(print_, opening)
    rough = np.float32(look.mask_roughness) * (1 - matt) + np.float32(0.6) * matt
    rough = rough * (1 - metal) + np.float32(look.finish_roughness) * metal
    return color * laminate, np.concatenate([metal, rough], axis=-1)


__all__ = ["compose", "crop"]
