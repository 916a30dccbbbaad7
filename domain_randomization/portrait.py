"""A unit as it should be: one picture of the whole product, and the stage as OpenUSD text."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain_randomization.recipe import Frames
from domain_randomization.sampling import Context
from domain_randomization.streams import stream
from domain_randomization.views import cameras
from scenes.optics import Look


def healthy_state(context: Context) -> Any:
    """A unit of the healthy process with whatever defect it has undone. The same one every time."""
    family, product = context.family, context.product
    state = family.simulate(product, family.process(product, {}), stream(0, 0, "portrait"))
    return family.golden(product, state, context.findings(state))


def healthy_picture(context: Context, *, pixel_size: float | None = None) -> NDArray[np.uint8]:
    """The whole product in one picture, uint8 (H, W, 3), under the station's own camera and lamps.

    Args:
        context: Of the scene.
        pixel_size: [m]; None is the camera's own.

    Raises:
        RecipeError: more than 8192 pixels on a side.
    """
    spec, lighting = context.station.camera, context.station.lighting
    assert spec is not None and lighting is not None
    if pixel_size is not None:
        spec = dataclasses.replace(spec, pixel_size=pixel_size)
    camera = cameras(spec, Frames(view="board"), context.family.box(context.product))[0]
    geometry = context.family.geometry(context.product, healthy_state(context), Look())
    rgb = context.renderer.render(geometry, camera, lighting, Look(), outputs=frozenset({"rgb"})).rgb
    assert rgb is not None
    return rgb


def stage_text(context: Context) -> str:
    """A healthy unit under the station's cameras and lamps as USDA text; equal contexts give equal text."""
    from scenes.usd import stage_text as write

    assert context.station.lighting is not None
    state = healthy_state(context)
    names = {i: finding.host for finding in context.findings(state) for i in finding.instances}
    geometry = context.family.geometry(context.product, state, Look())
    looks = context.cameras
    if len(looks) > 1:                         # tiles share a name; prims may not
        looks = tuple(dataclasses.replace(c, name=f"{c.name}_{k}") for k, c in enumerate(looks))
    return write(context.scene, geometry, names, looks, context.station.lighting)


__all__ = ["healthy_picture", "healthy_state", "stage_text"]
