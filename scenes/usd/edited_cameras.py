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
from scenes.usd.changes import Changes
from scenes.usd.stations import TRANSFORM, Bench, number, rigid, rounded

TENTH = 0.1                                    # [stage unit] of apertures and focal lengths, Gf.Camera.APERTURE_UNIT
STILL = 1e-9                                   # [m], [1]: a pose that differs by less is the same
LENS = ("horizontalAperture", "focalLength", "focusDistance", "projection", "twin:width", "twin:height", "twin:pixel_size",
        "twin:distance", "twin:model")
MODELS = {"orthographic": "telecentric", "perspective": "perspective"}


def camera_edits(found: Changes, pairs: Sequence[tuple[Bench, Bench]], approximated: list[str],
                 refused: list[str]) -> Iterator[CameraEdit]:
    """The cameras below benches that differ; what cannot be carried of them is added to ``refused``."""
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
    modality, spec, tile = (old.GetAttribute(f"twin:{n}").Get() for n in ("modality", "spec", "tile"))
    name = path.rsplit("/", 1)[1]
    if modality == "xray":
        if new is None or path in found.changed or np.abs(before.pose(path) - now.pose(path)).max() > STILL:
            found.claim_all(path)
            refused.append(f"{path}: changed; an X-ray machine's views follow from its source and detector in the scene file")
        return None
    if new is None:
        found.claim_all(path)
        return CameraEdit(now.station, name, spec, int(tile), modality, removed=True)
    was, (pose, exact) = rigid(before.pose(path))[0], rigid(now.pose(path))
    values: dict[str, Any] = {}
    if np.abs(was - pose).max() > STILL:
        values["pose"] = tuple(pose.ravel().tolist())
        if not exact:
            approximated.append(f"{path}: is scaled or sheared; a camera has a place and a rotation, and those are carried")
    found.claim(path, *TRANSFORM)
    if found.claim(path, *LENS):
        values |= _lens(path, old, new, approximated)
    if found.claim(path, "clippingRange"):
        values["clip"] = tuple(number(v) for v in new.GetAttribute("clippingRange").Get())
    if found.claim(path, "verticalAperture") and "horizontalAperture" not in found.changed[path]:
        refused.append(f"{path}: verticalAperture changed; pixels are square, so it follows from horizontalAperture, twin:width "
                       "and twin:height")
    return CameraEdit(now.station, name, spec, int(tile), modality, **values) if values else None


def _lens(path: str, old: Any, new: Any, approximated: list[str]) -> dict[str, Any]:
    """What a changed lens makes of the picture's model, size, pixels and focus."""
    def differs(name: str) -> bool:
        return bool(new.GetAttribute(name).Get() != old.GetAttribute(name).Get())

    out: dict[str, Any] = {}
    model = MODELS[new.GetAttribute("projection").Get()] if differs("projection") else new.GetAttribute("twin:model").Get()
    if model not in MODELS.values():
        approximated.append(f"{path}: twin:model '{model}' is none of {', '.join(MODELS.values())}; the projection counts")
        model = MODELS[new.GetAttribute("projection").Get()]
    if model != old.GetAttribute("twin:model").Get():
        out["model"] = model
    for side in ("width", "height"):
        if differs(f"twin:{side}"):
            out[side] = int(new.GetAttribute(f"twin:{side}").Get())
    distance = float(old.GetAttribute("twin:distance").Get())
    if differs("focusDistance"):
        distance = number(new.GetAttribute("focusDistance").Get())
    elif differs("twin:distance"):
        distance = float(new.GetAttribute("twin:distance").Get())
    if distance != float(old.GetAttribute("twin:distance").Get()):
        out["distance"] = distance
    pixel, was = float(old.GetAttribute("twin:pixel_size").Get()), _pixel(old)
    optics = [n for n in ("horizontalAperture", "focalLength", "focusDistance", "projection", "twin:width") if differs(n)]
    if optics:
        if (now := _pixel(new)) != was:
            out["pixel_size"] = rounded(now)
        elif optics == ["focalLength"]:
            approximated.append(f"{path}: focalLength changed; in an orthographic projection it has no effect")
    elif differs("twin:pixel_size"):
        out["pixel_size"] = float(new.GetAttribute("twin:pixel_size").Get())
        approximated.append(f"{path}: twin:pixel_size changed and the aperture did not; the pixel counts "
                            f"({pixel:.6g} → {out['pixel_size']:.6g} m)")
    return out


def _pixel(prim: Any, width: int | None = None, distance: float | None = None) -> float:
    """Size of a pixel in the focus plane [m]."""
    wide = number(prim.GetAttribute("horizontalAperture").Get()) * TENTH
    size = wide / (width or int(prim.GetAttribute("twin:width").Get()))
    if prim.GetAttribute("projection").Get() == "orthographic":
        return size
    focus = distance or number(prim.GetAttribute("focusDistance").Get())
    return size * focus / (number(prim.GetAttribute("focalLength").Get()) * TENTH)


def _new(now: Bench, path: str, prim: Any, then: dict[str, Any], approximated: list[str],
         refused: list[str]) -> CameraEdit | None:
    """A camera that was added below a bench: one more view of the station's colour camera, with its sensor and lens errors."""
    colour = [p for p in then.values() if p.GetAttribute("twin:modality").Get() == "rgb"]
    if not colour:
        refused.append(f"{path}: is new; a camera can be added where the station has a colour camera")
        return None
    pose, exact = rigid(now.pose(path))
    if pose[2, 2] <= 1e-3:
        refused.append(f"{path}: is new and does not look down at the board; turn its −z towards it")
        return None
    model = colour[0]
    width, height = (int((prim if prim.HasAttribute(f"twin:{s}") else model).GetAttribute(f"twin:{s}").Get())
                     for s in ("width", "height"))
    focus = prim.GetAttribute("focusDistance").Get() or 0.0
    distance = number(focus) if focus > 0 else float(pose[2, 3] / pose[2, 2])          # along the axis to the board's top
    pixel = rounded(_pixel(prim, width, distance))
    clip = prim.GetAttribute("clippingRange")
    if not exact:
        approximated.append(f"{path}: is scaled or sheared; its place and rotation are carried")
    approximated.append(f"{path}: is new; it records with the sensor and lens of {model.GetName()}, {width} × {height} pixels of "
                        f"{pixel * 1e6:.4g} µm at {distance * 1e3:.4g} mm")
    return CameraEdit(now.station, path.rsplit("/", 1)[1], str(model.GetAttribute("twin:spec").Get()), -1, "rgb", False,
                      tuple(pose.ravel().tolist()), width, height, pixel, distance,
                      MODELS[prim.GetAttribute("projection").Get()],  # type: ignore[arg-type]
                      tuple(number(v) for v in clip.Get()) if clip.HasAuthoredValue() else None)   # type: ignore[arg-type]


__all__ = ["camera_edits"]
