"""A unit as it should be: one picture of the whole product, and the stage as OpenUSD text."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain_randomization.edited_views import edited
from domain_randomization.exposures import NEEDS, Instrument, Modality, Subject, expose, spec_of
from domain_randomization.randomizers.camera import STILL
from domain_randomization.recipe import Frames
from domain_randomization.sampling import Context
from domain_randomization.streams import stream
from domain_randomization.views import cameras
from scenes.geometry import Geometry
from scenes.optics import Look
from scenes.scene import CameraSpec, Station


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
    state = healthy_state(context)
    geometry = context.family.geometry(context.product, state, Look())
    return _whole(context, context.instruments[0], state, geometry, pixel_size)


def every_view(context: Context, longest: int = 1400) -> Iterator[tuple[Station, Modality, CameraSpec, NDArray[np.uint8]]]:
    """The whole product as each instrument of each station sees it, in the line's order, with the instrument's own camera.

    The context is one for X-ray pictures where a station has an X-ray machine. A picture has its instrument's pixels, or larger
    ones where more than ``longest`` [px] would be needed on a side.
    """
    state = healthy_state(context)
    geometry = context.family.geometry(context.product, state, Look())
    x0, y0, x1, y1 = context.family.box(context.product)
    for station in context.scene.stations:
        for modality, need in NEEDS.items():
            if getattr(station, need) is None or (modality == "rgb" and station.lighting is None):
                continue
            spec = spec_of(modality, station)
            pixel = max(spec.pixel_size, max(x1 - x0, y1 - y0) / longest)
            yield station, modality, spec, _whole(context, Instrument(modality, station, ()), state, geometry, pixel)


def _whole(context: Context, instrument: Instrument, state: Any, geometry: Geometry,
           pixel_size: float | None) -> NDArray[np.uint8]:
    from generators.inspect.modalities import shown

    lighting = instrument.station.lighting or context.station.lighting
    assert lighting is not None
    spec = spec_of(instrument.modality, instrument.station)
    straight, box = dataclasses.replace(spec, edits=()), context.family.box(context.product)
    seen = cameras(dataclasses.replace(straight, view="board", pixel_size=pixel_size or spec.pixel_size), Frames(), box)
    if spec.edits and spec.view == "board":    # an edited tile is not the whole product
        seen = edited(seen, cameras(straight, Frames(), box), spec, box)
    whole = dataclasses.replace(instrument, cameras=seen)
    subject = Subject(state, (), geometry, Look(), lighting)
    (frame, _), = expose(context, whole, subject, (0,), STILL, (0,), 0, None)
    return shown(instrument.modality, frame.images[instrument.modality])


def stage_text(context: Context) -> str:
    """A healthy unit under the cameras and lamps of every station that looks, as USDA text; equal contexts give equal text."""
    from domain_randomization.stage import contents
    from scenes.usd import stage_text as text

    return text(contents(context, textures=False, machines=False))


__all__ = ["every_view", "healthy_picture", "healthy_state", "stage_text"]
