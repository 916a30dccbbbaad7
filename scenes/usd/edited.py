"""From the differences between a stage as written and as it is now to ``Edits``: who carries what, and what nobody carries.

Each reader below looks at the composed values that it knows (poses relative to the board, a lens, a lamp's irradiance, …),
claims the properties that lead to them, and gives edits. What is left over in ``Changes`` becomes one line each in
``Edits.not_carried``, with the reason.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from scenes.edits import CameraEdit, Edits, LightEdit, MaterialEdit, PartEdit
from scenes.edits_file import within
from scenes.edits_over import capped
from scenes.usd.changes import Changes
from scenes.usd.edited_cameras import camera_edits
from scenes.usd.edited_lights import light_edits
from scenes.usd.edited_looks import material_edits, paints
from scenes.usd.edited_parts import part_edits
from scenes.usd.names import LOOKS, MACHINES, PROTOTYPES, UNIT
from scenes.usd.stations import TRANSFORM, Bench, benches

# (what a path holds, why a scene cannot carry it), the first that fits
REASONS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda p: "/Solder" in p, "solder follows from printing, placement and reflow: change the recipe's process"),
    (lambda p: "/Films" in p, "residues and scratches follow from handling: change the recipe's process"),
    (lambda p: "/Board" in p, "the board's outline, layers and artwork come from the board file"),
    (lambda p: p.startswith(MACHINES) or "/Machine" in p or "/Equipment" in p, "no sample shows machines"),
    (lambda p: p.startswith(PROTOTYPES), "a package's shape follows from its footprint: let the part have another package"),
    (lambda p: "/Parts" in p, "of a part its place, turn, package, material and whether it is there are carried"),
    (lambda p: p.startswith(LOOKS), "of a material the colour, metallic and roughness of its UsdPreviewSurface and its "
                                    "twin:thermal and twin:xray values are carried"),
    (lambda p: "/Camera_" in p, "of a camera its pose, projection, aperture, focal length, focus and clipping range are carried"),
    (lambda p: "/Light_" in p, "of a lamp its pose, kind, colour, intensity, exposure, size and shadow are carried"),
    (lambda p: p.startswith(UNIT), "a unit's state follows from the process"),
)
ELSEWHERE = "no part of a scene"
ON_LINE = "where stations stand is not in a scene file; cameras, lamps and parts are read relative to the board"


def edits_of(before: Any, now: Any, old: Edits) -> Edits:
    """What was changed in a stage since it was written.

    Args:
        before: The stage as written (opened). Its variant selections may be changed here.
        now: The stage as it is.
        old: Edits that it was written with: materials that they brought in are known.
    """
    found = Changes(before, now)
    if not found:
        return Edits()
    approximated: list[str] = []
    refused: list[str] = []
    told = _variants(found, before, now)
    places, were = benches(now), benches(before)
    for path, bench in were.items():
        if path not in places:
            refused.append(f"{path}: was taken away; a station is taken away in the scene file")
            found.claim_all(path)
        else:                                  # the board was moved below its cameras: they are read relative to it
            found.claim(bench.product, *TRANSFORM)
            found.claim(UNIT, *TRANSFORM)
    pairs = [(were[path], places[path]) for path in were if path in places]
    edits, odd = within(Edits(
        tuple(camera_edits(found, pairs, approximated, refused)), tuple(light_edits(found, pairs, approximated, refused)),
        tuple(part_edits(found, pairs, approximated, refused)), tuple(material_edits(found, old.table(), refused)),
        tuple(paints(found, pairs, old.table(), refused))))
    refused += [f"{_place(edit, places)}: is not carried; {why}" for edit, why in odd]
    lines = refused + told + [f"{path}: {what}; {_reason(path, found)}" for path, what in found.unclaimed()]
    return replace(edits, approximated=capped([_line(v) for v in approximated]), not_carried=capped([_line(v) for v in lines]))


def _place(edit: Any, places: Mapping[str, Bench]) -> str:
    """The path of the prim that an edit is of."""
    if isinstance(edit, CameraEdit | LightEdit):
        name = edit.camera if isinstance(edit, CameraEdit) else edit.light
        bench = next(p for p, b in places.items() if b.station == edit.station)
        return name if name.startswith("/") else bench if name == "Bench" else f"{bench}/{name}"
    if isinstance(edit, MaterialEdit):
        return f"{LOOKS}/{edit.name}"
    return f"{UNIT}/Parts/{edit.reference if isinstance(edit, PartEdit) else edit.parts[0]}"


def _variants(found: Changes, before: Any, now: Any) -> list[str]:
    """Another unit state was chosen to look at: nothing of it is an edit, and the two stages are compared in that state."""
    out = []
    for path, names in list(found.changed.items()):
        if "[variants]" not in names:
            continue
        sets = now.GetPrimAtPath(path).GetVariantSets()
        chosen = {n: sets.GetVariantSelection(n) for n in sets.GetNames()}
        then = before.GetPrimAtPath(path).GetVariantSets()
        before.SetEditTarget(before.GetSessionLayer())          # the layers stay as they were written
        for name, choice in chosen.items():
            if name in then.GetNames() and choice in then.GetVariantSet(name).GetVariantNames():
                then.SetSelection(name, choice)
        found.claim(path, "[variants]")
        told = ", ".join(f"{n} = {c}" for n, c in chosen.items())
        out.append(f"{path}: variant {told}; which state a unit is in follows from its process")
    if out:
        again = Changes(before, now)
        found.changed, found.added, found.removed = again.changed, again.added, again.removed
    return out


def _reason(path: str, found: Changes) -> str:
    for fits, why in REASONS:
        if fits(path):
            return why
    return ON_LINE if path in found.changed and any(n.startswith("xformOp") for n in found.changed[path]) else ELSEWHERE


def _line(text: str) -> str:
    return " ".join(text.split())[:1000]


__all__ = ["edits_of"]
