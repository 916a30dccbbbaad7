"""A unit as it should be: one picture of the whole product, and the stage as OpenUSD text."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain_randomization.exposures import Subject, expose, spec_of
from domain_randomization.randomizers.camera import STILL
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
    """The whole product in one picture, uint8 (H, W, 3), as the context's first instrument sees it. The same one every time.

    Args:
        context: Of the scene.
        pixel_size: [m]; None is the instrument's own.

    Raises:
        RecipeError: more than 8192 pixels on a side.
    """
    from generators.inspect.modalities import shown

    assert context.station.lighting is not None
    first = context.instruments[0]
    spec = spec_of(first.modality, first.station)
    spec = dataclasses.replace(spec, view="board", pixel_size=pixel_size or spec.pixel_size)
    whole = dataclasses.replace(first, cameras=cameras(spec, Frames(view="board"), context.family.box(context.product)))
    state = healthy_state(context)
    subject = Subject(state, (), context.family.geometry(context.product, state, Look()), Look(), context.station.lighting)
    (frame, _), = expose(context, whole, subject, (0,), STILL, (0,), 0, None)
    return shown(first.modality, frame.images[first.modality])


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
