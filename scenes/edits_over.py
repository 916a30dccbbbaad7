"""Edits on top of edits: a stage that was written from an edited scene, and edited again.

In such a stage cameras and lamps are counted as the edited scene has them, and a part may be a new or a replaced one already;
``over`` tells all of that in terms of the scene as authored, where an ``Edits`` is at home.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from scenes.edits import PROPERTIES, CameraEdit, Dome, Edits, LightEdit, MaterialEdit, Paint, PartEdit, lamps_of
from scenes.edits_file import LINES_MOST
from scenes.optics import Directional, Lighting, Ring

MORE = re.compile(r"and (\d{1,9}) more")


def over(new: Edits, old: Edits, lighting: Mapping[str, Lighting | None]) -> Edits:
    """``new`` edits of a stage that was written with ``old`` ones, as edits of the authored scene.

    Args:
        lighting: Station → its lamps as authored. Later values win, moves add up; the notes are those of both.
    """
    return Edits(tuple(_cameras(new, old)), tuple(_lights(new, old, lighting)), tuple(_parts(new, old)),
                 tuple(_materials(new, old)), tuple(_paints(new, old)), capped(old.approximated, new.approximated),
                 capped(old.not_carried, new.not_carried))


def capped(*lists: Sequence[str]) -> tuple[str, ...]:
    """The lines of all lists, each once, at most ``LINES_MOST``: the last one then says how many more there are."""
    told = [(line, MORE.fullmatch(line)) for lines in lists for line in lines]
    more = sum(int(m[1]) for _, m in told if m)                # of lists that were cut off before
    lines = list(dict.fromkeys(line for line, m in told if not m))
    if not more and len(lines) <= LINES_MOST:
        return tuple(lines)
    return (*lines[:LINES_MOST - 1], f"and {more + len(lines[LINES_MOST - 1:])} more")


def _cameras(new: Edits, old: Edits) -> Iterator[CameraEdit]:
    def key(edit: CameraEdit) -> tuple[str, str, int, str]:
        return edit.station, edit.modality, edit.tile, edit.camera if edit.tile < 0 else ""

    found = {key(e): e for e in old.cameras}
    for edit in new.cameras:
        mine = [e for e in old.cameras if (e.station, e.modality) == (edit.station, edit.modality)]
        added = {e.camera.removeprefix("Camera_"): e for e in mine if e.tile < 0}
        gone = sorted(e.tile for e in mine if e.tile >= 0 and e.removed)
        if edit.tile >= 0 and edit.spec in added:
            edit = replace(edit, camera=added[edit.spec].camera, spec=added[edit.spec].spec, tile=-1)
        elif edit.tile >= 0:
            tile = edit.tile
            for missing in gone:               # those that are left were counted anew
                tile += missing <= tile
            edit = replace(edit, tile=tile, camera=edit.camera if not gone else f"Camera_{edit.spec}_{tile}")
        before = found.get(key(edit))
        if before is not None:
            kept = {name: getattr(before, name) for name in ("pose", "width", "height", "pixel_size", "distance", "model", "clip")
                    if getattr(edit, name) is None}
            edit = replace(edit, **kept)
        if edit.tile < 0 and edit.removed:
            found.pop(key(edit), None)
        else:
            found[key(edit)] = edit
    yield from found.values()


def _lights(new: Edits, old: Edits, lighting: Mapping[str, Lighting | None]) -> Iterator[LightEdit]:
    found = {(e.station, e.light): e for e in old.lights}
    for edit in new.lights:
        lamps = lamps_of(lighting.get(edit.station), [e for e in old.lights if e.station == edit.station])
        names: dict[str, str] = {}
        for kind, start in ((Directional, "Light_directional_"), (Ring, "Light_ring_")):
            own = [name for name, lamp in lamps.items() if isinstance(lamp, kind)]
            names |= {f"{start}{k}": name for k, name in enumerate(own)}
        if edit.light == "Light_dome":         # the stage had the sum of all domes
            for name in [n for n, lamp in lamps.items() if isinstance(lamp, Dome) and n != "Light_dome"]:
                found[edit.station, name] = LightEdit(edit.station, name, None)
        name = names.get(edit.light, edit.light)
        found[edit.station, name] = replace(edit, light=name)
    yield from found.values()


def _parts(new: Edits, old: Edits) -> Iterator[PartEdit]:
    found = {e.reference: e for e in old.parts}
    likes = {e.reference: e.like for e in old.parts if e.like}
    for edit in new.parts:
        edit = replace(edit, like=likes.get(edit.like, edit.like))
        before = found.get(edit.reference)
        if before is not None and before.at is not None:       # a component that the design does not have
            x, y, angle = before.at
            edit = replace(edit, like=edit.like or before.like, at=(x + edit.move[0], y + edit.move[1], angle + edit.turn),
                           move=(0.0, 0.0), turn=0.0)
            if edit.removed:
                del found[edit.reference]
                continue
        elif before is not None and not edit.removed:
            edit = replace(edit, like=edit.like or before.like, turn=before.turn + edit.turn,
                           move=(before.move[0] + edit.move[0], before.move[1] + edit.move[1]))
        found[edit.reference] = edit
    yield from found.values()


def _materials(new: Edits, old: Edits) -> Iterator[MaterialEdit]:
    found = {e.name: e for e in old.materials}
    for edit in new.materials:
        before = found.get(edit.name)
        if before is not None:
            kept = {name: getattr(before, name) for name in PROPERTIES if getattr(edit, name) is None}
            edit = replace(edit, like=edit.like or before.like, **kept)
        found[edit.name] = edit
    yield from found.values()


def _paints(new: Edits, old: Edits) -> Iterator[Paint]:
    """Each part's materials in one step: A → B and then B → C is A → C. As in a package, "" stands for all that is not named."""
    steps: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for k, paints in enumerate((old.paints, new.paints)):
        for paint in paints:
            for part in paint.parts:
                steps.setdefault(part, ({}, {}))[k][paint.was] = paint.now
    groups: dict[tuple[str, str], list[str]] = {}
    for part, (first, then) in steps.items():
        both = {was: then.get(now, then.get("", now)) for was, now in first.items()}
        if "" not in first:                    # where it is, nothing shows a material of its own any more
            both |= {was: now for was, now in then.items() if was not in first}
        for was, now in both.items():
            if was != now or "" in both:       # painted back to what it was
                groups.setdefault((was, now), []).append(part)
    for (was, now), parts in groups.items():
        yield Paint(tuple(parts), was, now)


__all__ = ["capped", "over"]
