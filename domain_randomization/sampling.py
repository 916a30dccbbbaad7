"""One sample from recipe, scene and index: draw, run the process, look, label. Nothing else goes in.

Streams of a sample: ``look``, ``lighting``, ``camera``, ``drift/<name>``, ``noise``, ``tile``, ``host``, of a clip ``flicker``
and ``noise/clip``, of a golden twin the noises with ``/golden`` behind, and per attempt k ``condition/k`` and ``simulate/k``.
"""
from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from domain_randomization.ageing import aged, dimmed
from domain_randomization.clips import Moment, check_clip, draw_lamps, moments
from domain_randomization.exposures import Modality, Subject, choose_tiles, expose, find_station, instruments
from domain_randomization.quotas import Cell, Schedule, schedule
from domain_randomization.randomizers.camera import Jitter, draw_jitter, seen_by
from domain_randomization.randomizers.lighting import vary_lighting
from domain_randomization.randomizers.look import vary_look
from domain_randomization.recipe import Recipe
from domain_randomization.streams import sample_id, stream
from domain_randomization.views import cameras
from generators.dataset.sample import Sample, Shot
from generators.render.protocol import Renderer
from scenes.errors import BackendUnavailable, RecipeError, SceneError
from scenes.family import Family, Finding, Target
from scenes.instruments.aoi import Motion
from scenes.optics import Lighting, Look
from scenes.scene import Scene

if TYPE_CHECKING:
    from domain_randomization.living import Living
    from domain_randomization.story import Story

ATTEMPTS = 64                                  # tries to make one target; a cause that works takes one to three
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GOLDEN = "golden"                              # camera name of the frame with the defects undone


class Context:
    """What all samples of a dataset share, prepared once per process: product, schedule, cameras, a warm renderer.

    Args:
        told: Folder of a dataset that may hold the line's story (``meta/line``); else the line runs again, to the same end.
        telling: Called with (units made, units in all) while it runs.

    Raises:
        SceneError: unknown family, or a station without camera or lighting.
        RecipeError: quotas that this product cannot meet, drifts that the family does not know.
    """

    def __init__(self, scene: Scene, recipe: Recipe, renderer_name: str = "gl", product: Any = None,
                 told: Path | None = None, telling: Callable[[int, int], None] | None = None) -> None:
        self.scene, self.recipe, self.renderer_name = scene, recipe, renderer_name
        self.family = find_family(scene)
        self.station = find_station(scene, recipe)     # of the colour camera, whose lamps and tiles a sample is told by
        self.product = self.family.product(scene) if product is None else product
        if "xray" in recipe.modalities:
            self.product = self.family.with_insides(self.product)
        self.schedule: Schedule = schedule(recipe, self.family, self.product)
        self.story: Story | None = None
        if recipe.scenario is not None:        # late imports: without a scenario nothing of the line is loaded
            from domain_randomization.choice import choose
            from domain_randomization.story import is_told, read_story, tell

            self.story = read_story(told, scene, recipe) if told is not None and is_told(told) else tell(
                scene, recipe, self.family, self.product, telling)
            self.choice = choose(self.story.living, self.schedule, self.station.id, self.story.defective)
        for end in (0, 1):                     # both ends of every drift are possible: told now, not at sample 5000
            self.family.process(self.product, {name: d.ends()[end] for name, d in sorted(recipe.process.drifts.items())})
        self.instruments = instruments(scene, recipe, self.family.box(self.product))
        assert self.station.camera is not None
        self.cameras = cameras(self.station.camera, recipe.frames, self.family.box(self.product))
        if recipe.clip is not None:
            check_clip(recipe.clip, self.cameras[0], 2 if recipe.outputs.golden else 1)
        self.digest = recipe.digest(scene)

    @cached_property
    def renderer(self) -> Renderer:
        """Opened at first use and kept. Raises BackendUnavailable."""
        from generators.memory import hold
        from generators.render import open_renderer

        hold()
        return open_renderer(self.renderer_name)

    def findings(self, state: Any) -> tuple[Finding, ...]:
        """What the product's own acceptance profile says about a state."""
        return tuple(self.family.findings(self.product, state, None))

    @classmethod
    def for_scene(cls, scene: Scene, *, renderer: str = "gl", modality: Modality = "rgb") -> Context:
        """Of a scene alone, for looking at it: no quotas, nothing varied on purpose."""
        return cls(scene, Recipe(scene=scene.path, count=1, modalities=(modality,)), renderer)

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
    number: int | None = None                  # of a scenario: which unit of the run


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


def make_unit(context: Context, index: int) -> Unit:
    """Run the process until the unit of sample ``index`` shows what its quota asks for.

    Raises:
        RecipeError: the target did not come up in 64 attempts; names the quota.
    """
    recipe, family, product = context.recipe, context.family, context.product
    if context.story is not None:
        return _made_by_the_line(context, context.story.living, index)
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


def _made_by_the_line(context: Context, living: Living, index: int) -> Unit:
    """A unit of the run, with the settings that it met. Nothing is asked of it: its quota chose it for what it is."""
    number, slot = context.choice.unit(index), context.schedule.slot(index)
    drifts = living.settings(number)
    process = context.family.process(context.product, drifts)
    state = context.family.simulate(context.product, process, living.rng(number))
    findings = context.findings(state)
    cell = None if slot is None else context.schedule.cells[slot.cell]
    target = Target(cell.defect) if cell is not None and cell.defect else None
    hit = _met(target, findings) if target is not None else None
    return Unit(state, findings, process, drifts, target, hit, 0, number)


def check_quotas(context: Context) -> None:
    """Make the first unit of every quota, without a picture. Raises RecipeError for the first that cannot be met."""
    schedule = context.schedule
    if context.story is not None:              # its quotas chose among units that there are; only the last sample may lack one
        context.choice.unit(context.recipe.count - 1)
        return
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
    """Sample ``index`` of the recipe, recorded by every instrument and labelled."""
    return begin_sample(context, index).whole()


def begin_sample(context: Context, index: int) -> Sample:
    """The same with its frames still to be made, as ``shots``: a clip is never in memory as a whole."""
    recipe, family, product = context.recipe, context.family, context.product
    assert context.station.lighting is not None
    look = vary_look(Look(), recipe.look, _stream(context, index, "look"))
    jitters: dict[str, Jitter] = {
        i.modality: draw_jitter(recipe.camera, _stream(context, index, f"camera{i.stream}")) for i in context.instruments}
    lighting = vary_lighting(context.station.lighting, recipe.lighting, _stream(context, index, "lighting"))
    if "rgb" in jitters:
        lighting = seen_by(lighting, jitters["rgb"])
    unit = make_unit(context, index)
    seeing = context.instruments
    if context.story is not None:
        assert unit.number is not None
        condition = context.story.living.instruments(unit.number)
        seeing = tuple(aged(i, condition) for i in seeing)
        for camera in (i for i in seeing if i.modality == "rgb"):
            lighting = dimmed(lighting, camera, condition)
    geometry = family.geometry(product, unit.state, look)
    subjects: dict[str | None, Subject] = {None: Subject(unit.state, unit.findings, geometry, look, lighting)}
    if recipe.outputs.golden:
        state = family.golden(product, unit.state, unit.findings)
        subjects[GOLDEN] = Subject(state, context.findings(state), family.geometry(product, state, look), look, lighting)

    tiles: dict[str, tuple[int, ...]] = {}
    seeds: dict[tuple[str | None, str], list[int]] = {}
    for instrument in context.instruments:
        kind, count, ending = instrument.modality, len(instrument.cameras), instrument.stream
        drawn = int(_stream(context, index, f"tile{ending}").integers(count))
        turn = context.schedule.free_ordinal(index)
        tiles[kind] = choose_tiles(instrument, recipe.frames.tiles, unit.hit, geometry, turn, drawn)
        for name in subjects:                  # a twin is a second exposure: equal noise would give a pair without a defect away
            noise = _stream(context, index, f"noise{ending}" if name is None else f"noise{ending}/{name}")
            seeds[name, kind] = noise.integers(1 << 31, size=count).tolist()
    clips: dict[str | None, tuple[Moment, ...]] = dict.fromkeys(subjects, ())
    causes = conditions(context, index, unit, look, lighting, jitters, tiles)
    if recipe.clip is not None:
        lamps, motion = draw_lamps(recipe.clip, _stream(context, index, "flicker")), context.cameras[0].motion or Motion()
        clips = {name: moments(recipe.clip, motion, lamps, _stream(context, index, "noise/clip" if name is None else
                                                                   f"noise/clip/{name}")) for name in subjects}
        causes["clip"] = {"flicker": dataclasses.asdict(lamps), "motion": dataclasses.asdict(motion)}

    def shots() -> Iterator[Shot]:
        number = 0
        for name, subject in subjects.items():
            for instrument in seeing:
                kind = instrument.modality
                for shot in expose(context, instrument, subject, tiles[kind], jitters[kind], seeds[name, kind], number, name,
                                   clips[name] if kind == "rgb" else ()):
                    yield shot
                    number += 1

    start_ns = (recipe.clock.start - EPOCH) // timedelta(microseconds=1) * 1000
    split = context.schedule.split(index)
    if context.story is not None:
        from domain_randomization.surroundings import surroundings

        assert recipe.scenario is not None and unit.number is not None
        around = surroundings(context.story, recipe.scenario, unit.number, context.station.id, start_ns)
        calls = context.story.living.calls(family, product, unit.number, unit.state)
        causes["line"] = {**around.conditions, "calls": [
            {"station": c.station, "defect": c.defect, "component": c.component, "severity": _finite(c.severity), "real": c.real}
            for c in calls]}
        return Sample(sample_id(context.digest, index), index, f"U{unit.number:08d}", split, around.time_ns, (), (), causes,
                      around.traces, around.logs, shots=shots())
    time_ns = start_ns + round(index * recipe.clock.takt_s * 1e9)
    return Sample(sample_id(context.digest, index), index, f"U{index:08d}", split, time_ns, (), (), causes, shots=shots())


def conditions(context: Context, index: int, unit: Unit, look: Look, lighting: Lighting, jitters: Mapping[str, Jitter],
               tiles: Mapping[str, Sequence[int]]) -> dict[str, Any]:
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
        "lighting": dataclasses.asdict(lighting), "camera": {kind: jitter._asdict() for kind, jitter in jitters.items()},
        "tiles": {kind: list(chosen) for kind, chosen in tiles.items()},
    }, allow_nan=False))


def replay(context: Context, conditions: Mapping[str, Any]) -> Any:
    """The unit state that stored conditions led to: the stored process, run again on the stored stream."""
    process = context.family.process_from_dict(conditions["process"])
    if "line" in conditions:
        from domain_randomization.living import unit_stream

        return context.family.simulate(context.product, process, unit_stream(conditions["seed"], conditions["line"]["unit"]))
    rng = stream(conditions["seed"], conditions["index"], f"simulate/{conditions['attempt']}")
    return context.family.simulate(context.product, process, rng)


def _stream(context: Context, index: int, name: str) -> np.random.Generator:
    return stream(context.recipe.seed, index, name)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


__all__ = ["ATTEMPTS", "GOLDEN", "Context", "Unit", "begin_sample", "check_quotas", "conditions", "find_family", "find_station",
           "make_sample", "make_unit", "replay"]
