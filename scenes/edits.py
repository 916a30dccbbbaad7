"""Edits: what somebody changed in a stage of a scene, as plain values that the scene carries.

A stage holds what can be seen; a scene holds what it is made from. So an edit is told in the scene's terms: a camera's pose,
a lamp, a component's place in the design, a row of the material table. ``scenes/usd/edited.py`` finds edits, ``Scene`` keeps
them (in the YAML they are the section ``edits``, see ``scenes/edits_file.py``), and they are applied where the thing is made:

    cameras    domain_randomization/views.py    to the nominal cameras of an instrument
    lights     here, ``lit``                    to the lamps of a station
    parts      scenes/smt/redesign.py           to the board before it is assembled, so that every label still follows from it
    materials  here, ``table``                  to the rows that meshes point into
    paints     scenes/smt/redesign.py           to the packages of parts

Frames and units: the board frame of the side that is up, SI. What a scene cannot carry is in ``not_carried``, what it carries
not exactly in ``approximated``, one line each: path, what, why.
"""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from scenes.errors import SceneError
from scenes.materials import TABLE, Material
from scenes.optics import Directional, Lighting, Rgb, Ring

Modality = Literal["rgb", "thermal", "xray"]
ROWS_MOST = 256                                # a mesh stores a material as uint8


@dataclass(frozen=True)
class CameraEdit:
    """One camera of a station. None leaves what the scene says. ``tile`` is its place among the nominal ones, −1 of a new one."""
    station: str
    camera: str                                # name of the prim: "Camera_top", "Camera_top_3"
    spec: str                                  # name of the authored camera that it belongs to
    tile: int
    modality: Modality = "rgb"
    removed: bool = False
    pose: tuple[float, ...] | None = None      # 16, row-major, camera → board [m]
    width: int | None = None                   # [px]
    height: int | None = None
    pixel_size: float | None = None            # [m] in the focus plane
    distance: float | None = None              # [m] of the focus plane
    model: Literal["telecentric", "perspective"] | None = None
    clip: tuple[float, float] | None = None    # [m] near, far


@dataclass(frozen=True)
class Dome:
    """Uniform radiance of the upper hemisphere, relative."""
    radiance: Rgb


@dataclass(frozen=True)
class Gain:
    """How a station's colour camera develops its picture."""
    exposure: float
    white_balance: Rgb
    noise: float
    blur: float


@dataclass(frozen=True)
class LightEdit:
    """One lamp of a station as it is now; None: it was taken away. A ``light`` that the scene does not name is a new one."""
    station: str
    light: str                                 # name of the prim: "Light_dome", "Light_directional_0", "Light_ring_2", …
    lamp: Dome | Directional | Ring | Gain | None


@dataclass(frozen=True)
class PartEdit:
    """One component of the design. ``like`` names the authored component whose package and land pattern it takes."""
    reference: str
    removed: bool = False
    like: str = ""
    move: tuple[float, float] = (0.0, 0.0)     # [m] of its nominal place
    turn: float = 0.0                          # [rad] of its nominal angle, about its own origin
    at: tuple[float, float, float] | None = None   # x, y [m], angle [rad]: of a component that the design did not have


@dataclass(frozen=True)
class MaterialEdit:
    """A row of the table. ``like`` names the row that a new one starts from; "" changes the row of that name."""
    name: str
    like: str = ""
    base_color: Rgb | None = None              # linear
    metallic: float | None = None
    roughness: float | None = None
    conductivity: float | None = None          # [W/(m·K)]
    specific_heat: float | None = None         # [J/(kg·K)]
    density: float | None = None               # [kg/m³]
    emissivity: float | None = None
    composition: tuple[tuple[str, float], ...] | None = None   # element, mass fraction


@dataclass(frozen=True)
class Paint:
    """Other materials on some parts: ``now`` where ``was`` is, or everywhere on them where ``was`` is ""."""
    parts: tuple[str, ...]
    was: str
    now: str


@dataclass(frozen=True)
class Edits:
    """All differences between a stage and the scene that it was written from."""
    cameras: tuple[CameraEdit, ...] = ()
    lights: tuple[LightEdit, ...] = ()
    parts: tuple[PartEdit, ...] = ()
    materials: tuple[MaterialEdit, ...] = ()
    paints: tuple[Paint, ...] = ()
    approximated: tuple[str, ...] = ()
    not_carried: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is carried."""
        return bool(self.cameras or self.lights or self.parts or self.materials or self.paints)

    def lines(self) -> Iterator[str]:
        """What was changed, a line each, for people."""
        for camera in self.cameras:
            done = ["taken away"] if camera.removed else [] if camera.tile >= 0 else ["new"]
            done += ["moved"] if camera.pose is not None and camera.tile >= 0 else []
            lens = (camera.pixel_size, camera.width, camera.height, camera.distance, camera.model, camera.clip)
            done += ["its lens or picture changed"] if camera.tile >= 0 and any(v is not None for v in lens) else []
            yield f"camera {camera.station}/{camera.camera}: {', '.join(done)}"
        for light in self.lights:
            yield f"light {light.station}/{light.light}: {'taken away' if light.lamp is None else light.lamp}"
        for part in self.parts:
            done = ["taken away"] if part.removed else [f"like {part.like}"] if part.like else []
            done += [f"moved by ({part.move[0] * 1e3:.4g}, {part.move[1] * 1e3:.4g}) mm"] if part.move != (0.0, 0.0) else []
            done += [f"turned by {math.degrees(part.turn):.4g} degrees"] if part.turn else []
            done += [f"new at ({part.at[0] * 1e3:.4g}, {part.at[1] * 1e3:.4g}) mm"] if part.at is not None else []
            yield f"part {part.reference}: {', '.join(done)}"
        for material in self.materials:
            values = [f"{name} {value}" for name in PROPERTIES if (value := getattr(material, name)) is not None]
            yield f"material {material.name}: {'new, ' if material.like else ''}{'; '.join(values)}"
        for paint in self.paints:
            yield f"parts {', '.join(paint.parts)}: {paint.now} instead of {paint.was or 'all they had'}"

    def table(self) -> tuple[Material, ...]:
        """The material table with these edits; ``TABLE`` itself where there are none. Raises SceneError for an unknown name."""
        if not self.materials:
            return TABLE
        rows = {m.name: m for m in TABLE}
        for edit in self.materials:
            base = rows.get(edit.like or edit.name)
            if base is None:
                raise SceneError(f"edits.materials: '{edit.like or edit.name}' is not a material; known: {', '.join(rows)}")
            changed = {name: value for name in PROPERTIES if (value := getattr(edit, name)) is not None}
            rows[edit.name] = replace(base, name=edit.name, source=f"edited in the stage; {base.source}", **changed)
        if len(rows) > ROWS_MOST:
            raise SceneError(f"edits.materials: {len(rows)} materials; a mesh can tell {ROWS_MOST} apart, so remove some")
        return tuple(rows.values())


PROPERTIES = ("base_color", "metallic", "roughness", "conductivity", "specific_heat", "density", "emissivity", "composition")


def lit(lighting: Lighting | None, edits: Iterable[LightEdit]) -> Lighting | None:
    """A station's lamps with its edits. Domes add up; new lamps follow the authored ones, in the order of the edits."""
    edits = tuple(edits)
    if not edits:
        return lighting
    base, lamps = lighting or Lighting(), lamps_of(lighting, edits)
    for gain in (e.lamp for e in edits if isinstance(e.lamp, Gain)):
        base = replace(base, exposure=gain.exposure, white_balance=gain.white_balance, noise=gain.noise, blur=gain.blur)
    red, green, blue = (sum(d.radiance[k] for d in lamps.values() if isinstance(d, Dome)) for k in range(3))
    return replace(base, dome=(red, green, blue), directional=tuple(v for v in lamps.values() if isinstance(v, Directional)),
                   rings=tuple(v for v in lamps.values() if isinstance(v, Ring)))


def lamps_of(lighting: Lighting | None, edits: Iterable[LightEdit]) -> dict[str, Dome | Directional | Ring]:
    """Name → lamp of a station with its edits; authored ones have the names of their prims in a stage."""
    base = lighting or Lighting()
    lamps: dict[str, Dome | Directional | Ring] = {"Light_dome": Dome(base.dome)}
    lamps |= {f"Light_directional_{k}": lamp for k, lamp in enumerate(base.directional)}
    lamps |= {f"Light_ring_{k}": ring for k, ring in enumerate(base.rings)}
    for edit in edits:
        if edit.lamp is None:
            lamps.pop(edit.light, None)
        elif not isinstance(edit.lamp, Gain):
            lamps[edit.light] = edit.lamp
    return lamps


__all__ = ["PROPERTIES", "CameraEdit", "Dome", "Edits", "Gain", "LightEdit", "MaterialEdit", "Modality", "Paint", "PartEdit",
           "lamps_of", "lit"]
