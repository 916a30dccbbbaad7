"""Lamps of a stage as edits.

Exactly: DistantLight (a collimated lamp) and DomeLight (uniform). What lies near is carried as the collimated lamp that gives
the board's centre what the light gives it: UsdLux' radiance L = colour · intensity · 2^exposure (divided by the area where it is
normalised), and the vector irradiance of the emitter at the centre,

    sphere       E = π L (r / d)² towards its middle (exact)
    rectangle    E = L/2 Σ θ_i γ_i over its edges (Lambert 1760; exact): θ_i the angle that an edge is seen under, γ_i the unit
                 normal of the plane through the edge and the centre
    disk         the same over a polygon of equal area with 720 corners

whose direction and size become those of the lamp. A scene's irradiance is relative to a white diffuser, so it is E / π.
"""
from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.edits import Dome, Gain, LightEdit
from scenes.optics import Directional, Rgb, Ring
from scenes.usd.changes import Changes
from scenes.usd.emission import collimated, emitted, normalised
from scenes.usd.names import UNIT
from scenes.usd.stations import TRANSFORM, Bench, number, rounded

F64 = NDArray[np.float64]

NEAR = ("RectLight", "SphereLight", "DiskLight")
CARRIED = ("DistantLight", "DomeLight", *NEAR)
OTHERS = ("CylinderLight", "GeometryLight", "PortalLight", "DomeLight_1", "PluginLight")
LIGHTS = CARRIED + OTHERS
EMITS = ("inputs:color", "inputs:intensity", "inputs:exposure", "inputs:normalize", "inputs:enableColorTemperature",
         "inputs:colorTemperature")
SIZES = tuple(f"inputs:{n}" for n in ("angle", "radius", "width", "height"))
SHADOW = ("inputs:shadow:enable",)
FAINT = 1e-4                                   # [1] an irradiance below this is none: it is told, not carried
CORNERS = 720
HIDDEN = "is hidden; a hidden lamp still shines, deactivate it to take it away"
GAINS = ("twin:exposure", "twin:white_balance", "twin:noise", "twin:blur")


def light_edits(found: Changes, pairs: Sequence[tuple[Bench, Bench]], approximated: list[str],
                refused: list[str]) -> Iterator[LightEdit]:
    """The lamps below benches that differ, and new ones anywhere: those shine on every bench that has lamps."""
    colour = {now.path for before, now in pairs
              if any(p.GetAttribute("twin:modality").Get() == "rgb" for p in before.children("Camera"))}
    for before, now in pairs:
        lamps = before.stage.GetPrimAtPath(before.path).HasAttribute(GAINS[0])
        if found.claim(now.path, *GAINS):
            yield LightEdit(now.station, "Bench", _gain(now))
        for path in _below(before, "Light_"):
            yield from _changed(found, before, now, path, approximated, refused)
        for path in [p for p in found.added if p.startswith(now.path + "/")]:
            prim = now.stage.GetPrimAtPath(path)
            if prim.GetTypeName() in LIGHTS and now.path in colour:
                yield from _new(found, now, prim, approximated, refused)
            elif prim.GetTypeName() in LIGHTS:
                found.claim_all(path)
                if not (colour and UNIT + path.removeprefix(now.product) in found.added):
                    refused.append(f"{path}: no colour camera looks at station {now.station}, so a lamp there lights no picture")
        if not lamps:
            continue
        for path in [p for p in found.added if not any(p.startswith(b.path + "/") for _, b in pairs)]:
            prim = now.stage.GetPrimAtPath(path)
            if prim.GetTypeName() in LIGHTS and not prim.IsAbstract():
                yield from _new(found, now, prim, approximated, refused, shared=True)
    for path in [p for p in found.added if p.startswith(UNIT + "/")]:
        on_benches = any(f"{b.product}{path.removeprefix(UNIT)}" in found.added for _, b in pairs)
        if on_benches and found.now.GetPrimAtPath(path).GetTypeName() in LIGHTS:
            found.claim_all(path)              # it was read there


def _below(bench: Bench, start: str) -> list[str]:
    return [str(p.GetPath()) for p in bench.stage.GetPrimAtPath(bench.path).GetChildren() if p.GetName().startswith(start)]


def _gain(bench: Bench) -> Gain:
    prim = bench.stage.GetPrimAtPath(bench.path)
    exposure, white, noise, blur = (prim.GetAttribute(n).Get() for n in GAINS)
    return Gain(float(exposure), (float(white[0]), float(white[1]), float(white[2])), float(noise), float(blur))


def _changed(found: Changes, before: Bench, now: Bench, path: str, approximated: list[str],
             refused: list[str]) -> Iterator[LightEdit]:
    """One lamp as it was written."""
    old, new = before.stage.GetPrimAtPath(path), now.stage.GetPrimAtPath(path)
    name = old.GetName()
    if not new or not new.IsActive():
        found.claim_all(path)
        yield LightEdit(now.station, name, None)
        return
    if _hidden(new):
        refused.append(f"{path}: {HIDDEN}")
    if new.GetTypeName() == "Xform":
        yield from _ring(found, before, now, path, refused)
        return
    then, here = _lamp(before, old, []), _lamp(now, new, approximated if path in found.changed else [])
    found.claim(path, *TRANSFORM, *EMITS, *SIZES, *SHADOW, "[type]", "visibility")
    if here is None:
        if then is not None:
            refused.append(f"{path}: is a {new.GetTypeName()} now; {', '.join(CARRIED)} are carried")
    elif then is None or not _alike(then, here):
        yield LightEdit(now.station, name, here)


def _alike(a: Dome | Directional, b: Dome | Directional) -> bool:
    if isinstance(a, Dome) or isinstance(b, Dome):
        return a == b
    turned = float(np.abs(np.subtract(a.direction, b.direction)).max())
    return a.irradiance == b.irradiance and a.shadows == b.shadows and turned < 1e-9


def _new(found: Changes, now: Bench, prim: Any, approximated: list[str], refused: list[str], *,
         shared: bool = False) -> Iterator[LightEdit]:
    from pxr import UsdGeom

    path = str(prim.GetPath())
    found.claim_all(path)
    if not prim.IsActive():
        return
    if prim.GetTypeName() not in CARRIED:
        refused.append(f"{path}: is a {prim.GetTypeName()}; {', '.join(CARRIED)} are carried")
        return
    notes: list[str] = []
    lamp = _lamp(now, prim, notes)
    dark = isinstance(lamp, Directional) and lamp.direction[2] <= 0
    if lamp is None or dark or max(lamp.radiance if isinstance(lamp, Dome) else lamp.irradiance) < FAINT:
        refused.append(f"{path}: gives the board of station {now.station} no light; it shines elsewhere, from below or from afar")
        return
    approximated += notes
    if UsdGeom.Imageable(prim).ComputeVisibility() == UsdGeom.Tokens.invisible and f"{path}: {HIDDEN}" not in refused:
        refused.append(f"{path}: {HIDDEN}")
    if shared:
        approximated.append(f"{path}: stands outside the benches; it lights station {now.station} as if nothing were in its way")
    yield LightEdit(now.station, path.removeprefix(now.path + "/"), lamp)


def _ring(found: Changes, before: Bench, now: Bench, path: str, refused: list[str]) -> Iterator[LightEdit]:
    """A tier: its own numbers, or one factor on all of its disks."""
    old, new = before.stage.GetPrimAtPath(path), now.stage.GetPrimAtPath(path)
    told = found.claim(path, "twin:radiance", "twin:zenith_deg")
    radiance = np.array(new.GetAttribute("twin:radiance").Get(), float)
    disks = [str(p.GetPath()) for p in old.GetChildren()]
    there = [p for p in disks if (disk := now.stage.GetPrimAtPath(p)) and disk.IsActive()]
    rest = TRANSFORM + EMITS + SIZES + ("visibility",)
    if not told and len(there) == len(disks):
        here, then = (np.array([emitted(b.stage.GetPrimAtPath(p)) for p in disks]) for b in (now, before))
        ratio = here / np.maximum(then, 1e-12)
        if len(disks) and np.abs(ratio - 1).max() > 1e-6 and np.ptp(ratio, axis=0).max() < 1e-6:
            radiance = radiance * ratio[0]
            told, rest = True, TRANSFORM + SIZES + ("visibility",)
            for disk in disks:
                found.claim(disk, *EMITS)
    low, high = (math.radians(v) for v in new.GetAttribute("twin:zenith_deg").Get())
    if told:
        red, green, blue = (rounded(v) for v in radiance.tolist())
        yield LightEdit(now.station, old.GetName(), Ring(low, high, (red, green, blue)))
    if [p for p in (path, *disks) if found.claim(p, *rest)] or len(there) < len(disks):
        for disk in disks:
            found.claim_all(disk)
        refused.append(f"{path}: single disks or their places changed; a tier is carried as a whole: set its twin:radiance and "
                       "twin:zenith_deg, or the same colour and intensity on all of its disks")


def _hidden(prim: Any) -> bool:
    return bool(prim.GetAttribute("visibility").Get() == "invisible")


def _lamp(bench: Bench, prim: Any, approximated: list[str]) -> Dome | Directional | None:
    """A light prim in a scene's terms at this bench; None for a kind that is not carried."""
    from pxr import UsdLux

    kind, path = prim.GetTypeName(), str(prim.GetPath())
    if kind not in CARRIED:
        return None
    light = emitted(prim)
    if UsdLux.ShapingAPI(prim) and prim.HasAPI(UsdLux.ShapingAPI):
        approximated.append(f"{path}: its cone, focus or IES profile is left out")
    if kind == "DomeLight":
        if UsdLux.DomeLight(prim).GetTextureFileAttr().Get():
            approximated.append(f"{path}: its texture is left out; the dome is uniform in its colour")
        return Dome(_rgb(light))
    shadow = prim.GetAttribute("inputs:shadow:enable")
    shadows = bool(shadow.Get()) if shadow and shadow.Get() is not None else True
    pose = bench.pose(path)
    if kind == "DistantLight":
        towards = pose[:3, 2] / np.linalg.norm(pose[:3, 2])
        return Directional(_direction(towards), _rgb(collimated(prim)), shadows)
    vector = _vector_irradiance(bench, prim, kind, pose)
    strength = float(np.linalg.norm(vector))
    towards = vector / strength if strength > 0 else np.array([0.0, 0.0, 1.0])
    approximated.append(f"{path}: a {kind} is carried as the collimated lamp that gives the board's centre the same "
                        f"irradiance, {strength:.4g} of its radiance, from ({', '.join(f'{t:.3f}' for t in towards)}); its "
                        "highlights are those of a lamp without size")
    return Directional(_direction(towards), _rgb(light * strength / math.pi), shadows)


def _vector_irradiance(bench: Bench, prim: Any, kind: str, pose: F64) -> F64:
    """Of a light of radiance 1 at the board's centre, board frame, (3,) [sr]. Zero behind an emitter that has a back."""
    from pxr import UsdLux

    centre = _centre(bench)
    scale = np.linalg.norm(pose[:3, :3], axis=0)
    if kind == "SphereLight":
        radius = number(UsdLux.SphereLight(prim).GetRadiusAttr().Get()) * float(scale.mean())
        away = pose[:3, 3] - centre
        distance = max(float(np.linalg.norm(away)), radius)
        area = 4 * math.pi * radius**2 if normalised(prim) else 1.0
        return np.asarray(math.pi * (radius / distance) ** 2 / max(area, 1e-12) * away / max(float(np.linalg.norm(away)), 1e-12))
    if kind == "RectLight":
        light = UsdLux.RectLight(prim)
        w, h = (number(a.Get()) / 2 for a in (light.GetWidthAttr(), light.GetHeightAttr()))
        corners = np.array([(-w, -h, 0), (w, -h, 0), (w, h, 0), (-w, h, 0)])
        area = 4 * w * h * float(scale[0] * scale[1])
    else:
        radius = number(UsdLux.DiskLight(prim).GetRadiusAttr().Get())
        turn = 2 * np.pi * np.arange(CORNERS) / CORNERS
        reach = radius * math.sqrt(2 * math.pi / CORNERS / math.sin(2 * math.pi / CORNERS))   # a polygon of the disk's area
        corners = reach * np.column_stack([np.cos(turn), np.sin(turn), np.zeros(CORNERS)])
        area = math.pi * radius**2 * float(scale[0] * scale[1])
    points = corners @ pose[:3, :3].T + pose[:3, 3] - centre
    if float(points[0] @ np.cross(pose[:3, 0], pose[:3, 1])) <= 0:         # the emitter shines along its −z
        return np.zeros(3)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    after = np.roll(unit, -1, axis=0)
    across = np.cross(unit, after)
    long = np.linalg.norm(across, axis=1)
    angle = np.arctan2(long, (unit * after).sum(axis=1))
    total = (angle / np.maximum(long, 1e-15)) @ across / 2
    middle = points.mean(axis=0)
    return np.asarray(total * np.sign(float(total @ middle)) / (max(area, 1e-12) if normalised(prim) else 1.0))


def _centre(bench: Bench) -> F64:
    """The middle of the board's top, board frame (3,) [m]."""
    from pxr import Gf, Usd, UsdGeom

    prim = bench.stage.GetPrimAtPath(f"{bench.product}/Board")
    if not prim:
        return np.zeros(3)
    box = UsdGeom.BBoxCache(Usd.TimeCode.Default(), ["default", "render"]).ComputeRelativeBound(
        prim, bench.stage.GetPrimAtPath(bench.product)).ComputeAlignedRange()
    low, high = np.array(box.GetMin()), np.array(box.GetMax())
    if Gf.Range3d(box).IsEmpty():
        return np.zeros(3)
    return np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, 0.0])


def _rgb(light: F64) -> Rgb:
    red, green, blue = (rounded(float(v)) for v in light)
    return red, green, blue


def _direction(towards: F64) -> tuple[float, float, float]:
    x, y, z = towards.tolist()
    return x, y, z


__all__ = ["CARRIED", "light_edits"]
