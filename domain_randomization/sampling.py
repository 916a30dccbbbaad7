"""One sample from recipe, scene and index: draw, run the process, look, label. Nothing else goes in.

Streams of a sample: ``look``, ``lighting``, ``camera``, ``drift/<name>``, ``noise``, ``tile``, ``host``, and per attempt
k ``condition/k`` and ``simulate/k``.
"""
from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain_randomization.quotas import Cell, Schedule, schedule
from domain_randomization.randomizers.camera import Jitter, draw_jitter, moved, seen_by
from domain_randomization.randomizers.lighting import vary_lighting
from domain_randomization.randomizers.look import vary_look
from domain_randomization.recipe import Recipe
from domain_randomization.streams import sample_id, stream
from domain_randomization.views import cameras, place_of, tile_of
from generators.dataset.sample import Frame, Instance, Sample
from generators.render.protocol import Renderer
from scenes.errors import BackendUnavailable, RecipeError, SceneError
from scenes.family import Family, Finding, Target
from scenes.geometry import Geometry
from scenes.optics import Camera, Lighting, Look
from scenes.scene import Scene, Station

ATTEMPTS = 64                                  # tries to make one target; a cause that works takes one to three
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GOLDEN = "golden"                              # camera name of the frame with the defects undone


class Context:
    """What all samples of a dataset share, prepared once per process: product, schedule, cameras, a warm renderer.

    Raises:
        SceneError: unknown family, or a station without camera or lighting.
        RecipeError: quotas that this product cannot meet, drifts that the family does not know.
    """

    def __init__(self, scene: Scene, recipe: Recipe, renderer_name: str = "gl", product: Any = None) -> None:
        self.scene, self.recipe, self.renderer_name = scene, recipe, renderer_name
        self.family = find_family(scene)
        self.station = find_station(scene, recipe)
        self.product = self.family.product(scene) if product is None else product
        self.schedule: Schedule = schedule(recipe, self.family, self.product)
        for end in (0, 1):                     # both ends of every drift are possible: told now, not at sample 5000
            self.family.process(self.product, {name: d.ends()[end] for name, d in sorted(recipe.process.drifts.items())})
        assert self.station.camera is not None
        self.cameras = cameras(self.station.camera, recipe.frames, self.family.box(self.product))
        self.digest = recipe.digest(scene)

    @cached_property
    def renderer(self) -> Renderer:
        """Opened at first use and kept. Raises BackendUnavailable."""
        from generators.render import open_renderer

        return open_renderer(self.renderer_name)

    def findings(self, state: Any) -> tuple[Finding, ...]:
        """What the product's own acceptance profile says about a state."""
        return tuple(self.family.findings(self.product, state, None))

    @classmethod
    def for_scene(cls, scene: Scene, *, renderer: str = "gl") -> Context:
        """Of a scene alone, for looking at it: no quotas, nothing varied on purpose."""
        return cls(scene, Recipe(scene=scene.path, count=1), renderer)

    def healthy_picture(self, *, pixel_size: float | None = None) -> NDArray[np.uint8]:
        """See ``portrait.healthy_picture``."""
        from domain_randomization.portrait import healthy_picture

        return healthy_picture(self, pixel_size=pixel_size)

    def stage_text(self) -> str:
        """See ``portrait.stage_text``."""
        from domain_randomization.portrait import stage_text

        return stage_text(self)

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the renderer, where one was opened."""
        renderer = self.__dict__.pop("renderer", None)
        if renderer is not None:
            renderer.close()


@dataclass(frozen=True, eq=False)
class Unit:
    """One unit as it came out, with everything that led to it."""

    state: Any
    findings: tuple[Finding, ...]
    process: Any
    drifts: Mapping[str, float]
    target: Target | None
    hit: Finding | None                        # the finding that meets the target
    attempt: int


def find_family(scene: Scene) -> Family:
    """The product family of a scene, by entry point. Raises SceneError for an unknown one."""
    known = {e.name: e for e in entry_points(group="linetwin.families")}
    if scene.product.family not in known:
        raise SceneError(f"{scene.path}: product.family: '{scene.product.family}' is not installed; "
                         f"known: {', '.join(sorted(known))}")
    try:
        return known[scene.product.family].load()
    except ImportError as error:
        raise BackendUnavailable(f"family '{scene.product.family}': cannot be loaded ({error}); "
                                 "reinstall the package it is in") from None


def find_station(scene: Scene, recipe: Recipe) -> Station:
    """The station that looks. Raises RecipeError for an unknown one, SceneError where it lacks a camera or lamps."""
    if recipe.station is None:
        station = scene.camera_station()
    else:
        by_id = {s.id: s for s in scene.stations}
        if recipe.station not in by_id:
            raise RecipeError(f"station: '{recipe.station}' is not in {scene.path}; known: {', '.join(by_id)}")
        station = by_id[recipe.station]
    for part in ("camera", "lighting"):
        if getattr(station, part) is None:
            raise SceneError(f"{scene.path}: station '{station.id}' has no {part}; add '{part}:' to it")
    return station


def make_unit(context: Context, index: int) -> Unit:
    """Run the process until the unit of sample ``index`` shows what its quota asks for.

    Raises:
        RecipeError: the target did not come up in 64 attempts; names the quota.
    """
    recipe, family, product = context.recipe, context.family, context.product
    drifts = {name: d.at(_stream(context, index, f"drift/{name}").random()) for name, d in sorted(recipe.process.drifts.items())}
    slot = context.schedule.slot(index)
    cell = None if slot is None else context.schedule.cells[slot.cell]
    hosts = [] if cell is None else [cell.hosts[k] for k in _stream(context, index, "host").permutation(len(cell.hosts))]
    seen: list[str] = []
    refused: RecipeError | None = None
    for attempt in range(ATTEMPTS):
        process, target = family.process(product, drifts), None
        if cell is not None:
            target = Target(cell.defect, cell.low, cell.high, hosts[attempt % len(hosts)])
            try:
                process = family.condition(product, process, target, _stream(context, index, f"condition/{attempt}"))
            except RecipeError as error:       # this part cannot show so mild or so gross a one; another may
                refused = error
                continue
        state = family.simulate(product, process, _stream(context, index, f"simulate/{attempt}"))
        findings = context.findings(state)
        hit = None if target is None else _met(target, findings)
        if target is None or hit is not None:
            return Unit(state, findings, process, drifts, target, hit, attempt)
        seen += [f"{f.severity:.3g}" for f in findings if f.defect == target.defect]
    assert cell is not None
    if refused is not None and not seen:
        raise RecipeError(f"quota {describe(cell)}: {refused}")
    raise RecipeError(f"quota {describe(cell)}: did not come up in {ATTEMPTS} attempts at sample {index} "
                      f"(severities seen: {', '.join(seen[-4:]) or 'none'}); widen its severity or remove it")


def check_quotas(context: Context) -> None:
    """Make the first unit of every quota, without a picture. Raises RecipeError for the first that cannot be met."""
    schedule = context.schedule
    waiting, index = set(range(len(schedule.cells))), 0
    while waiting:
        slot = schedule.slot(index)
        if slot is not None and slot.cell in waiting:
            make_unit(context, index)
            waiting.remove(slot.cell)
        index += 1


def describe(cell: Cell) -> str:
    """A cell in words, for messages: ``'shift' mild [5e-05, 0.0001]``."""
    ends = "" if math.isinf(cell.low) else f" [{cell.low:.3g}, {cell.high:.3g}]"
    return f"'{cell.defect}' {cell.level}{ends}"


def _met(target: Target, findings: Sequence[Finding]) -> Finding | None:
    """The finding that meets the target: on the asked host if there is one, else the first elsewhere."""
    free = math.isinf(target.low) and math.isinf(target.high)
    met = [f for f in findings if f.defect == target.defect and (free or target.low <= f.severity <= target.high)]
    return next((f for f in met if f.host == target.host), met[0] if met else None)


def make_sample(context: Context, index: int) -> Sample:
    """Sample ``index`` of the recipe, rendered and labelled."""
    recipe, family, product = context.recipe, context.family, context.product
    assert context.station.lighting is not None
    look = vary_look(Look(), recipe.look, _stream(context, index, "look"))
    jitter = draw_jitter(recipe.camera, _stream(context, index, "camera"))
    lighting = seen_by(vary_lighting(context.station.lighting, recipe.lighting, _stream(context, index, "lighting")), jitter)
    unit = make_unit(context, index)
    geometry = family.geometry(product, unit.state, look)
    tiles = choose_tiles(context, index, unit.hit, geometry)
    views = [(t, moved(context.cameras[t], jitter)) for t in tiles]
    noise_seeds = _stream(context, index, "noise").integers(1 << 31, size=len(context.cameras)).tolist()

    frames: list[Frame] = []
    instances: list[Instance] = []

    def shoot(findings: tuple[Finding, ...], what: Geometry, name: str | None) -> None:
        for tile, camera in views:
            camera = camera if name is None else dataclasses.replace(camera, name=name)
            frame, found = _frame(context, len(frames), findings, what, camera, lighting, look, noise_seeds[tile], tile)
            frames.append(frame)
            instances.extend(found)

    shoot(unit.findings, geometry, None)
    if recipe.outputs.golden:
        state = family.golden(product, unit.state, unit.findings)
        shoot(context.findings(state), family.geometry(product, state, look), GOLDEN)

    start_us = (recipe.clock.start - EPOCH) // timedelta(microseconds=1)
    time_ns = start_us * 1000 + round(index * recipe.clock.takt_s * 1e9)
    return Sample(sample_id(context.digest, index), index, f"U{index:08d}", context.schedule.split(index), time_ns,
                  tuple(frames), tuple(instances), conditions(context, index, unit, look, lighting, jitter, tiles))


def choose_tiles(context: Context, index: int, hit: Finding | None, geometry: Geometry) -> tuple[int, ...]:
    """Which tiles a sample shows: its target's, else what the recipe says."""
    count, choice = len(context.cameras), context.recipe.frames.tiles
    if count == 1 or choice == "all":
        return tuple(range(count))
    if hit is not None:
        return (tile_of(place_of(hit, geometry), context.cameras),)
    if choice == "random":
        return (int(_stream(context, index, "tile").integers(count)),)
    return (context.schedule.free_ordinal(index) % count,)


def _frame(context: Context, number: int, findings: tuple[Finding, ...], geometry: Geometry, camera: Camera, lighting: Lighting,
           look: Look, noise_seed: int, tile: int) -> tuple[Frame, tuple[Instance, ...]]:
    from generators.labels import label_frame

    wanted = frozenset({"rgb", "instance", "part", *context.recipe.outputs.labels})     # labels are made from ids and parts
    buffers = context.renderer.render(geometry, camera, lighting, look, outputs=wanted, noise_seed=noise_seed)
    assert buffers.rgb is not None             # it was asked for
    found = label_frame(number, findings, buffers, geometry, camera, context.renderer, context.family.taxonomy)
    view = {"model": camera.model, "pixel_size": camera.pixel_size, "distance": camera.distance, "width": camera.width,
            "height": camera.height, "pose": camera.pose.ravel().tolist(), "tile": tile}
    labels: dict[str, Any] = {name: getattr(buffers, name) for name in context.recipe.outputs.labels}
    return Frame(camera.name, context.station.path, {"rgb": buffers.rgb}, labels, view), found


def conditions(context: Context, index: int, unit: Unit, look: Look, lighting: Lighting, jitter: Jitter,
               tiles: Sequence[int]) -> dict[str, Any]:
    """The causes of a sample, JSON-ready. ``replay`` makes the state from them again."""
    target = None
    if unit.target is not None and unit.hit is not None:
        slot = context.schedule.slot(index)
        assert slot is not None
        cell = context.schedule.cells[slot.cell]
        target = {"defect": cell.defect, "level": cell.level, "low": _finite(cell.low), "high": _finite(cell.high),
                  "host": unit.hit.host, "severity": _finite(unit.hit.severity)}
    return json.loads(json.dumps({
        "seed": context.recipe.seed, "index": index, "attempt": unit.attempt, "target": target,
        "drifts": dict(unit.drifts), "process": context.family.process_to_dict(unit.process),
        "signals": dict(getattr(unit.state, "signals", {})), "look": dataclasses.asdict(look),
        "lighting": dataclasses.asdict(lighting), "camera": jitter._asdict(), "tiles": list(tiles),
    }, allow_nan=False))


def replay(context: Context, conditions: Mapping[str, Any]) -> Any:
    """The unit state that stored conditions led to: the stored process, run again on the stored stream."""
    process = context.family.process_from_dict(conditions["process"])
    rng = stream(conditions["seed"], conditions["index"], f"simulate/{conditions['attempt']}")
    return context.family.simulate(context.product, process, rng)


def _stream(context: Context, index: int, name: str) -> np.random.Generator:
    return stream(context.recipe.seed, index, name)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


__all__ = ["ATTEMPTS", "GOLDEN", "Context", "Unit", "check_quotas", "choose_tiles", "conditions", "find_family", "find_station",
           "make_sample", "make_unit", "replay"]
