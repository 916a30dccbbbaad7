"""The stage that the worker opens: one station with one camera and the unit on its bench, as ``scenes.usd`` writes it.

Machines are left out: what stands around a unit would shade it, and the other renderers draw none either. Lamps are left out
too; they come with the first delta, as they do with every other one.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from generators.render import develop
from generators.render.artwork_color import compose, crop
from generators.render.view import Window
from scenes.geometry import Geometry
from scenes.optics import Camera, Lighting, Look
from scenes.usd import Contents, contents_of, write
from scenes.usd.build import views_of
from scenes.usd.contents import Artwork, Unit
from scenes.usd.write_line import place_paths

SIDE = 1024                                    # [px] of the artwork in the stage itself; each picture gets its own, sharper one


@dataclass(frozen=True)
class _Station:
    """As much of a ``scenes.scene.Station`` as a stage takes."""
    id: str = "bench"
    path: str = "linetwin/bench"
    kind: str = "aoi"
    lighting: Lighting | None = None


@dataclass(frozen=True)
class _Scene:
    """As much of a ``scenes.scene.Scene`` as a stage takes."""
    name: str = "bench"
    line: str = "linetwin"
    stations: tuple[_Station, ...] = (_Station(),)


@dataclass(frozen=True)
class Paths:
    """Where things are in the stage."""
    bench: str                                 # the board frame

    @property
    def product(self) -> str:
        return f"{self.bench}/Product"

    @property
    def camera(self) -> str:
        return f"{self.bench}/Camera_view"


def told(geometry: Geometry, camera: Camera, look: Look) -> Contents:
    """What the stage says: a unit before a camera, no lamps."""
    corners = geometry.slab.mesh.vertices
    (x0, y0), (x1, y1) = corners[:, :2].min(axis=0).tolist(), corners[:, :2].max(axis=0).tolist()
    texels, area = crop(geometry.slab.coverage, Window(x0, y0, x1, y1), SIDE)
    color, surface = compose(texels, look, geometry.materials)
    artwork = Artwork(develop.encode(color), np.round(surface * 255).astype(np.uint8), (area.x0, area.y0, area.x1, area.y1))
    return contents_of(cast(Any, _Scene()), geometry, {}, {"bench": views_of((replace(camera, name="view"),), "rgb")},
                       artwork=artwork)


def unit_of(geometry: Geometry) -> Unit:
    """A unit alone, as the stage would say it."""
    return contents_of(cast(Any, _Scene()), geometry, {}, {}).unit


def written(contents: Contents, folder: Path) -> Paths:
    """Write the stage. Raises StorageError."""
    write(contents, folder)
    return Paths(f"{place_paths(contents)['bench']}/Bench")


__all__ = ["Paths", "told", "unit_of", "written"]
