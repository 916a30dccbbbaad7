"""What the instruments of a line record of one unit: colour, infrared and X-ray frames, each with labels of its own.

One ``UnitState`` is behind all of them. Every instrument has its own cameras (tiles, or one over the product), its own pose
jitter and its own noise streams, so that asking for one more modality changes nothing in those that are there.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from domain_randomization.clips import Moment
from domain_randomization.randomizers.camera import Jitter, moved
from domain_randomization.recipe import Frames, Recipe
from domain_randomization.views import Box, cameras, place_of, tile_of
from generators.dataset.sample import Frame, Instance
from scenes.errors import BackendUnavailable, RecipeError, SceneError
from scenes.family import Finding
from scenes.geometry import Geometry
from scenes.optics import Camera, Lighting, Look
from scenes.scene import CameraSpec, Scene, Station

if TYPE_CHECKING:
    from domain_randomization.sampling import Context

Modality = Literal["rgb", "thermal", "xray"]
NEEDS: dict[Modality, str] = {"rgb": "camera", "thermal": "infrared", "xray": "xray"}    # what a station has for it


@dataclass(frozen=True, eq=False)
class Instrument:
    """One modality of a recipe: which station looks, and the straight cameras that its frames are cut by."""
    modality: Modality
    station: Station
    cameras: tuple[Camera, ...]

    @property
    def stream(self) -> str:
        """What the names of its random streams end in; colour came first and has the plain ones."""
        return "" if self.modality == "rgb" else f"/{self.modality}"


@dataclass(frozen=True, eq=False)
class Subject:
    """What stands before the instruments."""
    state: Any
    findings: tuple[Finding, ...]
    geometry: Geometry
    look: Look
    lighting: Lighting


def instruments(scene: Scene, recipe: Recipe, box: Box) -> tuple[Instrument, ...]:
    """One instrument per modality of the recipe, in its order.

    Raises:
        RecipeError: the recipe's station is unknown.
        SceneError: no station has what a modality needs.
    """
    return tuple(Instrument(m, station := find_station(scene, recipe, m), _cameras(m, station, recipe.frames, box))
                 for m in recipe.modalities)


def find_station(scene: Scene, recipe: Recipe, modality: Modality = "rgb") -> Station:
    """The station that looks: for colour the recipe's, else the first that has the instrument.

    Raises:
        RecipeError: the recipe's station is unknown.
        SceneError: no such instrument; a colour camera without lamps.
    """
    need = NEEDS[modality]
    if modality == "rgb" and recipe.station is not None:
        by_id = {s.id: s for s in scene.stations}
        if recipe.station not in by_id:
            raise RecipeError(f"station: '{recipe.station}' is not in {scene.path}; known: {', '.join(by_id)}")
        station = by_id[recipe.station]
    elif modality == "rgb":
        station = scene.camera_station()
    else:
        having = [s for s in scene.stations if getattr(s, need) is not None]
        if not having:
            raise SceneError(f"{scene.path}: modality '{modality}': no station has '{need}:'; add it to one "
                             f"('{need}: {{}}' takes the defaults)")
        station = having[0]
    for part in ("camera", "lighting") if modality == "rgb" else ():
        if getattr(station, part) is None:
            raise SceneError(f"{scene.path}: station '{station.id}' has no {part}; add '{part}:' to it")
    return station


def _cameras(modality: Modality, station: Station, frames: Frames, box: Box) -> tuple[Camera, ...]:
    """The recipe's pixel size and picture size are those of the colour camera; the others keep the scene's."""
    own = frames if modality == "rgb" else Frames(overlap=frames.overlap, margin_mm=frames.margin_mm)
    return cameras(spec_of(modality, station), own, box)


def spec_of(modality: Modality, station: Station) -> CameraSpec:
    """How an instrument cuts the product into frames; an X-ray machine looks at tiles."""
    if modality == "rgb":
        assert station.camera is not None
        return station.camera
    if modality == "thermal":
        seen = station.infrared
        assert seen is not None
        return CameraSpec(seen.name, seen.model, seen.pixel_size, seen.width, seen.height, seen.view, seen.distance,
                          edits=tuple(e for e in station.edits if e.modality == "thermal"))
    machine = station.xray
    assert machine is not None
    return CameraSpec(machine.name, "telecentric", machine.pixel_size, machine.width, machine.height, "tiles",
                      machine.source_object)


def choose_tiles(instrument: Instrument, choice: str, hit: Finding | None, geometry: Geometry, turn: int,
                 drawn: int) -> tuple[int, ...]:
    """Which of its tiles a sample shows: that of its target, else what the recipe says.

    Args:
        choice: "all", "random" or "cycle".
        turn: How many samples without a target came before: the tile in a cycle.
        drawn: The tile by lot.
    """
    count = len(instrument.cameras)
    if count == 1 or choice == "all":
        return tuple(range(count))
    if hit is not None:
        return (tile_of(place_of(hit, geometry), instrument.cameras),)
    return (drawn,) if choice == "random" else (turn % count,)


def expose(context: Context, instrument: Instrument, subject: Subject, tiles: Sequence[int], jitter: Jitter,
           seeds: Sequence[int], first: int, name: str | None,
           clip: Sequence[Moment] = ()) -> Iterator[tuple[Frame, tuple[Instance, ...]]]:
    """The frames of one instrument with their labels, one after another.

    Args:
        seeds: Of the noise, one per camera of the instrument.
        first: Number of the first frame in its sample.
        name: Camera name instead of the instrument's own.
        clip: Take these instead of one picture.
    """
    shoot = {"rgb": _colour, "thermal": _thermal, "xray": _xray}[instrument.modality]
    number = first
    for tile in tiles:
        camera = moved(instrument.cameras[tile], jitter)
        if instrument.modality == "xray":
            assert instrument.station.xray is not None
            camera = behind_the_source(camera, instrument.cameras[tile], instrument)
        for shown, taken, seed, when in _frames(subject, camera, seeds[tile], clip):
            images, labels, found = shoot(context, instrument, shown, taken, seed, number)
            view = {"model": taken.model, "pixel_size": taken.pixel_size, "distance": taken.distance, "width": taken.width,
                    "height": taken.height, "pose": taken.pose.ravel().tolist(), "tile": tile, **when}
            yield Frame(name or taken.name, instrument.station.path, images, labels, view), found
            number += 1


def _frames(subject: Subject, camera: Camera, seed: int,
            clip: Sequence[Moment]) -> Iterator[tuple[Subject, Camera, int, dict[str, float]]]:
    """What is before the camera, where that is, the seed of its noise, and what a clip adds to the view."""
    if not clip:
        yield subject, camera, seed, {}
    for moment in clip:
        lit = dataclasses.replace(subject, lighting=subject.lighting.scaled(moment.light))
        yield lit, moment.taken_by(camera), moment.seed, {"clip": moment.number, "time_s": moment.time, "light": moment.light}


Shot = tuple[dict[str, Any], dict[str, Any], tuple[Instance, ...]]


def _colour(context: Context, instrument: Instrument, subject: Subject, camera: Camera, seed: int, number: int) -> Shot:
    from generators.labels import label_frame

    asked = context.recipe.outputs.labels
    buffers = context.renderer.render(subject.geometry, camera, subject.lighting, subject.look,
                                      outputs=frozenset({"rgb", "instance", "part", *asked}), noise_seed=seed)
    found = label_frame(number, subject.findings, buffers, subject.geometry, camera, context.renderer, context.family.taxonomy)
    return {"rgb": buffers.rgb}, {name: getattr(buffers, name) for name in asked}, found


def _thermal(context: Context, instrument: Instrument, subject: Subject, camera: Camera, seed: int, number: int) -> Shot:
    """Of the dense labels instance and part alone: they come from the radiation pass itself."""
    from generators.imaging.infrared import see_labelled
    from generators.labels import label_frame

    seen = instrument.station.infrared
    assert seen is not None
    field = context.family.heat(context.product, subject.state, seen.mode)
    image, buffers = see_labelled(context.renderer, subject.geometry, camera, field, seen, subject.look,
                                  np.random.Generator(np.random.SFC64(seed)))
    found = label_frame(number, subject.findings, buffers, subject.geometry, camera, context.renderer, context.family.taxonomy,
                        modality="thermal")
    asked = context.recipe.outputs.labels
    labels: dict[str, Any] = {name: getattr(buffers, name) for name in ("instance", "part") if name in asked}
    return {"thermal": image}, labels, found


def _xray(context: Context, instrument: Instrument, subject: Subject, camera: Camera, seed: int, number: int) -> Shot:
    """No dense labels: behind a pixel of an X-ray picture lies more than one thing. Its masks say what each one covers."""
    from generators.imaging.xray import PathRenderer, coefficients, picture
    from generators.imaging.xray_labels import label_xray

    machine = instrument.station.xray
    assert machine is not None
    if not isinstance(context.renderer, PathRenderer):
        raise BackendUnavailable(f"renderer '{context.renderer.name}': draws no X-ray pictures; use 'gl'")
    paths = context.renderer.paths(subject.geometry, camera, coefficients(machine, subject.geometry.materials))
    counts = picture(paths, machine, seed, pixel_size=camera.pixel_size)
    found = label_xray(number, subject.findings, subject.geometry, camera, context.renderer, context.family.taxonomy)
    return {"xray": counts}, {}, found


def behind_the_source(straight: Camera, nominal: Camera, instrument: Instrument) -> Camera:
    """The machine's camera over the point that a straight one looks at, with the same small errors of pose and scale."""
    machine = instrument.station.xray
    assert machine is not None
    focus = straight.pose[:3, 3] - straight.pose[:3, 2] * straight.distance
    camera = machine.camera((float(focus[0]), float(focus[1])), pixel_size=straight.pixel_size, width=nominal.width,
                            height=nominal.height)
    turn = straight.pose[:3, :3] @ nominal.pose[:3, :3].T
    pose = camera.pose.copy()
    pose[:3, :3] = turn @ camera.pose[:3, :3]
    pose[:3, 3] = focus + camera.distance * pose[:3, 2]
    return dataclasses.replace(camera, pose=pose)


__all__ = ["NEEDS", "Instrument", "Modality", "Subject", "behind_the_source", "choose_tiles", "expose", "find_station",
           "instruments", "spec_of"]
