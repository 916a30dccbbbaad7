"""Cameras of a stage as edits: where they stand relative to the board, and their lens.

Pixels are square and as many as ``twin:width`` and ``twin:height`` say, as a renderer of a fixed picture has it: the horizontal
aperture gives the field, the vertical one follows. In the focus plane, at ``focusDistance`` d, a pixel is

    orthographic    horizontalAperture / width
    perspective     horizontalAperture / width · d / focalLength          (apertures and focal lengths in tenths of a unit)
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scenes.edits import CameraEdit
from scenes.edits_file import CLIP, FOCUS
from scenes.usd.changes import Changes
from scenes.usd.numbers import count_in, number_in, numbers_in, word_in
from scenes.usd.stations import F64, TRANSFORM, Bench, number, rigid, rounded

TENTH = 0.1                                    # [stage unit] of apertures and focal lengths, Gf.Camera.APERTURE_UNIT
STILL = 1e-9                                   # [m], [1]: a pose that differs by less is the same
FLAT = 1e-3                                    # [1] a camera whose axis is as level as this does not look at the board
LENS = ("horizontalAperture", "focalLength", "focusDistance", "projection", "twin:width", "twin:height", "twin:pixel_size",
        "twin:distance", "twin:model")
MODELS = {"orthographic": "telecentric", "perspective": "perspective"}
MODALITIES = ("rgb", "thermal", "xray")


def camera_edits(found: Changes, pairs: Sequence[tuple[Bench, Bench]], approximated: list[str],
                 refused: list[str]) -> Iterator[CameraEdit]:
    """The cameras below benches that differ; what cannot be carried of them is added to ``refused``.

    Raises:
        SceneError: a number of a camera that no camera can have, with the prim and the attribute.
    """
    for before, now in pairs:
        then = {str(p.GetPath()): p for p in before.children("Camera")}
        here = {str(p.GetPath()): p for p in now.children("Camera")}
        for path, old in then.items():
            edit = _changed(found, before, now, path, old, here.get(path), approximated, refused)
            if edit is not None:
                yield edit
        for path, prim in here.items():
            if path not in then:
                found.claim_all(path)
                edit = _new(now, path, prim, then, approximated, refused)
                if edit is not None:
                    yield edit


def _changed(found: Changes, before: Bench, now: Bench, path: str, old: Any, new: Any, approximated: list[str],
             refused: list[str]) -> CameraEdit | None:
    modality = word_in(old, "twin:modality", MODALITIES)
    spec, tile = str(old.GetAttribute("twin:spec").Get()), count_in(old, "twin:tile", least=0)
    name = path.rsplit("/", 1)[1]
    if modality == "xray":
        if new is None or path in found.changed or np.abs(before.pose(path) - now.pose(path)).max() > STILL:
            found.claim_all(path)
            refused.append(f"{path}: changed; an X-ray machine's views follow from its source and detector in the scene file")
        return None
    if new is None:
        found.claim_all(path)
        return CameraEdit(now.station, name, spec, tile, modality, removed=True)     # type: ignore[arg-type]
    was, (pose, exact) = rigid(before.pose(path))[0], rigid(now.pose(path))
    values: dict[str, Any] = {}
    if np.abs(was - pose).max() > STILL:
        values["pose"] = tuple(pose.ravel().tolist())
        if not exact:
            approximated.append(f"{path}: is scaled or sheared; a camera has a place and a rotation, and those are carried")
    found.claim(path, *TRANSFORM)
    if found.claim(path, *LENS):
        values |= _lens(path, old, new, pose, approximated, refused)
    if found.claim(path, "clippingRange") and (clip := _clip(path, new, approximated, refused)) is not None:
        values["clip"] = clip
    if found.claim(path, "verticalAperture") and "horizontalAperture" not in found.changed[path]:
        refused.append(f"{path}: verticalAperture changed; pixels are square, so it follows from horizontalAperture, twin:width "
                       "and twin:height")
    return CameraEdit(now.station, name, spec, tile, modality, **values) if values else None     # type: ignore[arg-type]


def _lens(path: str, old: Any, new: Any, pose: F64, approximated: list[str], refused: list[str]) -> dict[str, Any]:
    """What a changed lens makes of the picture's model, size, pixels and focus."""
    def differs(name: str) -> bool:
        return bool(new.GetAttribute(name).Get() != old.GetAttribute(name).Get())

    out: dict[str, Any] = {}
    if (projection := _projection(path, new, refused)) is None:
        return out
    model = MODELS[projection] if differs("projection") else new.GetAttribute("twin:model").Get()
    if model not in MODELS.values():
        approximated.append(f"{path}: twin:model '{model}' is none of {', '.join(MODELS.values())}; the projection counts")
        model = MODELS[projection]
    if model != old.GetAttribute("twin:model").Get():
        out["model"] = model
    for side in ("width", "height"):
        if differs(f"twin:{side}"):
            out[side] = count_in(new, f"twin:{side}")
    was, distance = number_in(old, "twin:distance", above=0), number_in(new, "twin:distance", above=0)
    focus = _focus(path, new, pose, approximated if differs("focusDistance") else [])
    if differs("focusDistance") and focus is not None:
        distance = focus
    if distance != was:
        out["distance"] = distance
    pixel = number_in(old, "twin:pixel_size", above=0)
    optics = [n for n in ("horizontalAperture", "focalLength", "focusDistance", "projection", "twin:width") if differs(n)]
    if optics:
        then = number(number_in(old, "focusDistance"))
        if (now := _pixel(new, focus or distance)) != _pixel(old, then):
            out["pixel_size"] = rounded(now)
        elif optics == ["focalLength"]:
            approximated.append(f"{path}: focalLength changed; in an orthographic projection it has no effect")
    elif differs("twin:pixel_size"):
        out["pixel_size"] = number_in(new, "twin:pixel_size", above=0)
        approximated.append(f"{path}: twin:pixel_size changed and the aperture did not; the pixel counts "
                            f"({pixel:.6g} → {out['pixel_size']:.6g} m)")
    return out


def _projection(path: str, prim: Any, refused: list[str]) -> str | None:
    """The projection where it is one that is carried."""
    found = prim.GetAttribute("projection").Get()
    if found in MODELS:
        return str(found)
    refused.append(f"{path}: its projection is '{found}'; {' and '.join(MODELS)} are carried")
    return None


def _focus(path: str, prim: Any, pose: F64, approximated: list[str]) -> float | None:
    """Distance of the focus plane [m]; where it is not set (0), or nowhere near a line as the 400 of other scales, that of the
    board along the camera's axis. None where the camera does not look at the board either."""
    focus = number(number_in(prim, "focusDistance"))
    if FOCUS[0] < focus <= FOCUS[1]:
        return focus
    distance = float(pose[2, 3] / pose[2, 2]) if pose[2, 2] > FLAT else 0.0
    if focus != 0:
        approximated.append(f"{path}: focusDistance {focus:g} m is no distance over a board; it is focused on the board"
                            + (f", at {distance * 1e3:.4g} mm" if distance > 0 else " as before"))
    return distance if distance > 0 else None


def _clip(path: str, prim: Any, approximated: list[str], refused: list[str]) -> tuple[float, float] | None:
    """The clipping range within what a camera over a line needs."""
    near, far = (number(v) for v in numbers_in(prim, "clippingRange", 2))
    kept = max(near, CLIP[0]), min(far, CLIP[1])
    if not kept[0] < kept[1]:
        refused.append(f"{path}: clippingRange ({near:g}, {far:g}) holds nothing; it stays as it was")
        return None
    if kept != (near, far):
        approximated.append(f"{path}: clippingRange ({near:g}, {far:g}) is taken as ({kept[0]:g}, {kept[1]:g}) m")
    return kept


def _pixel(prim: Any, focus: float, width: int | None = None) -> float:
    """Size of a pixel in the plane ``focus`` [m] away [m]."""
    wide = number(number_in(prim, "horizontalAperture", above=0)) * TENTH
    size = wide / (width or count_in(prim, "twin:width"))
    if prim.GetAttribute("projection").Get() == "orthographic":
        return size
    return size * focus / (number(number_in(prim, "focalLength", above=0)) * TENTH)


def _new(now: Bench, path: str, prim: Any, then: dict[str, Any], approximated: list[str],
         refused: list[str]) -> CameraEdit | None:
    """A camera that was added below a bench: one more view of the station's colour camera, with its sensor and lens errors."""
    colour = [p for p in then.values() if p.GetAttribute("twin:modality").Get() == "rgb"]
    if not colour:
        refused.append(f"{path}: is new; a camera can be added where the station has a colour camera")
        return None
    pose, exact = rigid(now.pose(path))
    if _projection(path, prim, refused) is None:
        return None
    if pose[2, 2] <= FLAT:
        refused.append(f"{path}: is new and does not look down at the board; turn its −z towards it")
        return None
    model = colour[0]
    width, height = (count_in(prim if prim.HasAttribute(f"twin:{s}") else model, f"twin:{s}") for s in ("width", "height"))
    distance = _focus(path, prim, pose, approximated)
    if distance is None:
        refused.append(f"{path}: is new and stands below the board's top; put it above")
        return None
    pixel = rounded(_pixel(prim, distance, width))
    clip = _clip(path, prim, approximated, refused) if prim.GetAttribute("clippingRange").HasAuthoredValue() else None
    if not exact:
        approximated.append(f"{path}: is scaled or sheared; its place and rotation are carried")
    approximated.append(f"{path}: is new; it records with the sensor and lens of {model.GetName()}, {width} × {height} pixels of "
                        f"{pixel * 1e6:.4g} µm at {distance * 1e3:.4g} mm")
    return CameraEdit(now.station, path.rsplit("/", 1)[1], str(model.GetAttribute("twin:spec").Get()), -1, "rgb", False,
                      tuple(pose.ravel().tolist()), width, height, pixel, distance,
                      MODELS[prim.GetAttribute("projection").Get()], clip)     # type: ignore[arg-type]


__all__ = ["camera_edits"]
