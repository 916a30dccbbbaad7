"""The stage of a scene: a healthy unit, and others as variants, under every camera of every station that looks."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from domain_randomization.exposures import Instrument, Modality, behind_the_source, spec_of
from domain_randomization.portrait import healthy_state
from domain_randomization.recipe import Frames
from domain_randomization.sampling import ATTEMPTS, Context
from domain_randomization.streams import stream
from domain_randomization.views import Box, cameras
from scenes.errors import RecipeError
from scenes.family import Target
from scenes.optics import Camera, Look
from scenes.scene import Station
from scenes.usd.build import contents_of, views_of
from scenes.usd.contents import Artwork, Contents, View
from scenes.usd.equipment import furnish

TEXELS = 4096                                  # [px] longest side of the board's pictures
_MODALITIES: tuple[tuple[Modality, str], ...] = (("rgb", "camera"), ("thermal", "infrared"), ("xray", "xray"))


def contents(context: Context, *, states: Mapping[str, Any] | None = None, textures: bool = True,
             machines: bool = True) -> Contents:
    """What the stage of a context's scene says. Equal arguments give equal contents.

    Args:
        states: Unit states by name, to be variants beside the healthy one.
        textures: With the board's artwork as pictures.
        machines: With the machines of the line; without them its stations stand bare in a row.
    """
    family, product = context.family, context.product
    healthy = healthy_state(context)
    names: dict[int, str] = {}
    classes: dict[int, str] = {}
    for state in (*(states or {}).values(), healthy):
        for finding in context.findings(state):
            for instance in finding.instances:
                if finding.host:
                    names[instance] = finding.host
                if not finding.defect:
                    classes[instance] = finding.category
    geometry = family.geometry(product, healthy, Look())
    others = [(name, family.geometry(product, state, Look())) for name, state in (states or {}).items()]
    line = furnish(context.scene, family.box(product), geometry.slab.thickness) if machines else None
    return contents_of(context.scene, geometry, names, views(context), states=others, classes=classes,
                       artwork=artwork(geometry) if textures else None, **(vars(line) if line is not None else {}))


def defective_states(context: Context, defects: Sequence[str]) -> dict[str, Any]:
    """For each defect a unit that has it and no other: the healthy unit's own draws, with a cause of that defect added.

    Raises:
        RecipeError: a defect that the family does not know, that this product cannot have, or that did not come up.
    """
    return {defect: _defective(context, defect) for defect in defects}


def possible(context: Context) -> tuple[str, ...]:
    """The defects that this product can have, in the taxonomy's order."""
    return tuple(d.name for d in context.family.taxonomy.defects if context.family.hosts(context.product, d.name))


def _defective(context: Context, defect: str) -> Any:
    family, product = context.family, context.product
    known = [d.name for d in family.taxonomy.defects]
    if defect not in known:
        raise RecipeError(f"state '{defect}': not a defect of family '{family.name}'; known: {', '.join(known)}")
    hosts = family.hosts(product, defect)
    if not hosts:
        raise RecipeError(f"state '{defect}': this product cannot have it; possible: {', '.join(possible(context))}")
    order = stream(0, 0, f"portrait/{defect}").permutation(len(hosts)).tolist()
    for attempt in range(ATTEMPTS):
        target = Target(defect, host=hosts[order[attempt % len(order)]])
        try:
            process = family.condition(product, family.process(product, {}), target, stream(0, attempt, f"portrait/{defect}"))
        except RecipeError:                    # this part cannot show it; another may
            continue
        state = family.simulate(product, process, stream(0, 0, "portrait"))
        findings = context.findings(state)
        if any(f.defect == defect for f in findings):
            return family.golden(product, state, [f for f in findings if f.defect and f.defect != defect])
    raise RecipeError(f"state '{defect}': did not come up in {ATTEMPTS} attempts; leave it out")


def views(context: Context) -> dict[str, tuple[View, ...]]:
    """Station id → its nominal cameras of all modalities, as the recipe cuts frames; where a station has any."""
    out = {}
    box = context.family.box(context.product)
    for station in context.scene.stations:
        found: tuple[View, ...] = ()
        for modality, need in _MODALITIES:
            if getattr(station, need) is not None:
                found += views_of(_cameras(context, modality, station, box), modality, [v.prim for v in found])
        if found:
            out[station.id] = found
    return out


def _cameras(context: Context, modality: Modality, station: Station, box: Box) -> Sequence[Camera]:
    """The recipe's pixel and picture size are those of its own colour camera; all others keep the scene's."""
    frames = context.recipe.frames
    if modality != "rgb" or station.id != context.station.id:
        frames = Frames(overlap=frames.overlap, margin_mm=frames.margin_mm)
    straight = cameras(spec_of(modality, station), frames, box)
    if modality != "xray":
        return straight
    instrument = Instrument(modality, station, straight)
    return [behind_the_source(camera, camera, instrument) for camera in straight]


def artwork(geometry: Any) -> Artwork:
    """The board's top as ordinary pictures, at most 4096 pixels on a side."""
    from generators.render.artwork_color import compose, crop
    from generators.render.develop import encode
    from generators.render.view import Window

    low, high = (f(geometry.slab.mesh.vertices, axis=0)[:2].tolist() for f in (np.min, np.max))
    texels, covered = crop(geometry.slab.coverage, Window(*low, *high), TEXELS)
    color, surface = compose(texels, Look())
    return Artwork(encode(color), np.round(surface * 255).astype(np.uint8), (covered.x0, covered.y0, covered.x1, covered.y1))


__all__ = ["artwork", "contents", "defective_states", "possible", "views"]
