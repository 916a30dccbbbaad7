"""The section ``edits`` of a scene file: ``Edits`` as YAML. Written by linetwin, readable by people, checked on reading.

Everything is SI and exact (a file of its own hand needs no round numbers): ``_m`` are metres, ``_rad`` radians.
"""
from __future__ import annotations

from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from scenes.edits import CameraEdit, Dome, Edits, Gain, LightEdit, MaterialEdit, Modality, Paint, PartEdit
from scenes.optics import Directional, Ring
from scenes.yaml_file import shown

MOST = 20_000                                  # edits of one kind
MATERIALS_MOST = 200
LINES_MOST = 500                               # of what is not carried
FOCUS = 1e-4, 100.0                            # [m] nearest and farthest focus plane of a camera over a line
CLIP = 1e-4, 1e3                               # [m] of a clipping range
TITLE = "# Read from an edited stage: what was changed in it. Everything above is the scene as authored.\n"


def _finite(value: float) -> float:
    if not abs(value) < 1e9:
        raise ValueError("must be a number below 1e9")
    return value


Number = Annotated[float, AfterValidator(_finite)]
Share = Annotated[float, Field(ge=0, le=1)]
Light = Annotated[float, Field(ge=0, le=1e6)]
Name = Annotated[str, Field(max_length=500)]
Line = Annotated[str, Field(max_length=1000, pattern=r"^[^\n]*$")]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CameraEditFile(_File):
    """A camera that was moved, changed, added or taken away."""
    station: Name
    camera: Name
    spec: Name
    tile: int = Field(ge=-1, le=100_000)
    modality: Modality = "rgb"
    removed: bool = False
    pose: tuple[Number, ...] | None = Field(None, min_length=16, max_length=16, description="camera to board, row-major, m")
    width: int | None = Field(None, ge=16, le=8192)
    height: int | None = Field(None, ge=16, le=8192)
    pixel_m: float | None = Field(None, gt=1e-8, le=1e-2)
    distance_m: float | None = Field(None, gt=FOCUS[0], le=FOCUS[1])
    model: Literal["telecentric", "perspective"] | None = None
    clip_m: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _rigid(self) -> CameraEditFile:
        if self.pose is not None:
            a = [self.pose[4 * i:4 * i + 3] for i in range(3)]
            products = [sum(a[k][i] * a[k][j] for k in range(3)) - (i == j) for i in range(3) for j in range(3)]
            if max(map(abs, products)) > 1e-6 or self.pose[12:] != (0, 0, 0, 1):
                raise ValueError("pose: not a rotation and a place; remove scale and shear from the camera")
        if self.clip_m is not None and not 0 < self.clip_m[0] < self.clip_m[1] <= CLIP[1]:
            raise ValueError("clip_m: near must be positive and below far")
        return self


class LampFile(_File):
    """A collimated lamp; ``direction`` points from the board to it."""
    direction: tuple[Number, Number, Number]
    irradiance: tuple[Light, Light, Light]
    shadows: bool = True


class TierFile(_File):
    """A ring light's tier."""
    zenith_rad: tuple[Annotated[float, Field(ge=0, le=1.6)], Annotated[float, Field(ge=0, le=1.6)]]
    radiance: tuple[Light, Light, Light]


class GainFile(_File):
    """How the colour camera develops its picture."""
    exposure: float = Field(gt=0, le=1e6)
    white_balance: tuple[Light, Light, Light]
    noise: float = Field(ge=0, le=1)
    blur: float = Field(ge=0, le=100)


class LightEditFile(_File):
    """A lamp that was changed, added or taken away: just one of what follows its name."""
    station: Name
    light: Name
    removed: bool = False
    dome: tuple[Light, Light, Light] | None = None
    directional: LampFile | None = None
    ring: TierFile | None = None
    gain: GainFile | None = None

    @model_validator(mode="after")
    def _one(self) -> LightEditFile:
        given = [v for v in (self.dome, self.directional, self.ring, self.gain) if v is not None]
        if len(given) + self.removed != 1:
            raise ValueError("give one of removed, dome, directional, ring, gain")
        return self


class PartEditFile(_File):
    """A component of the design that was moved, replaced, added or taken away."""
    reference: Name
    removed: bool = False
    like: Name = ""
    move_m: tuple[Number, Number] = (0.0, 0.0)
    turn_rad: Number = 0.0
    at: tuple[Number, Number, Number] | None = Field(None, description="x and y in m, angle in rad, of a new component")

    @model_validator(mode="after")
    def _known(self) -> PartEditFile:
        if self.at is not None and not self.like:
            raise ValueError("at: a new component needs 'like'")
        return self


ELEMENTS = """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb
Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po
At Rn Fr Ra Ac Th Pa U"""


class MaterialEditFile(_File):
    """A material that was changed or added."""
    name: Name
    like: Name = ""
    base_color: tuple[Share, Share, Share] | None = Field(None, description="linear")
    metallic: Share | None = None
    roughness: Share | None = None
    conductivity: float | None = Field(None, gt=0, le=1e5, description="W/(m K)")
    specific_heat: float | None = Field(None, gt=0, le=1e5, description="J/(kg K)")
    density: float | None = Field(None, gt=0, le=3e4, description="kg/m3")
    emissivity: Share | None = None
    composition: dict[Name, Annotated[float, Field(gt=0, le=1)]] | None = Field(None, min_length=1, max_length=30,
                                                                               description="mass fractions by element")

    @model_validator(mode="after")
    def _whole(self) -> MaterialEditFile:
        if self.composition is not None:
            if odd := [e for e in self.composition if e not in ELEMENTS.split()]:
                raise ValueError(f"composition: '{odd[0]}' is not a symbol of an element from H to U")
            if abs(sum(self.composition.values()) - 1) > 1e-3:
                raise ValueError(f"composition: mass fractions sum to {sum(self.composition.values()):.4g}; they must sum to 1")
        return self


class PaintFile(_File):
    """Parts that got other materials."""
    parts: tuple[Name, ...] = Field(min_length=1, max_length=MOST)
    was: Name = ""
    now: Name


class EditsFile(_File):
    """What was changed in a stage of this scene. Written by ``linetwin``; a scene without it is the scene as authored."""
    cameras: tuple[CameraEditFile, ...] = Field((), max_length=MOST)
    lights: tuple[LightEditFile, ...] = Field((), max_length=MOST)
    parts: tuple[PartEditFile, ...] = Field((), max_length=MOST)
    materials: tuple[MaterialEditFile, ...] = Field((), max_length=MATERIALS_MOST)
    paints: tuple[PaintFile, ...] = Field((), max_length=MOST)
    approximated: tuple[Line, ...] = Field((), max_length=LINES_MOST)
    not_carried: tuple[Line, ...] = Field((), max_length=LINES_MOST)

    def edits(self) -> Edits:
        return Edits(
            tuple(CameraEdit(c.station, c.camera, c.spec, c.tile, c.modality, c.removed, c.pose, c.width, c.height, c.pixel_m,
                             c.distance_m, c.model, c.clip_m) for c in self.cameras),
            tuple(LightEdit(e.station, e.light, _lamp(e)) for e in self.lights),
            tuple(PartEdit(p.reference, p.removed, p.like, p.move_m, p.turn_rad, p.at) for p in self.parts),
            tuple(MaterialEdit(m.name, m.like, m.base_color, m.metallic, m.roughness, m.conductivity, m.specific_heat, m.density,
                               m.emissivity, tuple(m.composition.items()) if m.composition else None) for m in self.materials),
            tuple(Paint(p.parts, p.was, p.now) for p in self.paints), self.approximated, self.not_carried)


def _lamp(file: LightEditFile) -> Dome | Directional | Ring | Gain | None:
    if file.dome is not None:
        return Dome(file.dome)
    if file.directional is not None:
        return Directional(file.directional.direction, file.directional.irradiance, file.directional.shadows)
    if file.ring is not None:
        return Ring(*file.ring.zenith_rad, file.ring.radiance)
    if file.gain is not None:
        return Gain(file.gain.exposure, file.gain.white_balance, file.gain.noise, file.gain.blur)
    return None


def section(edits: Edits) -> dict[str, Any]:
    """``Edits`` as the plain values of the section; what is nothing is left out. ``EditsFile`` inverts it."""
    out: dict[str, Any] = {
        "cameras": [_said(station=c.station, camera=c.camera, spec=c.spec, tile=c.tile, modality=c.modality, removed=c.removed,
                          pose=c.pose, width=c.width, height=c.height, pixel_m=c.pixel_size, distance_m=c.distance, model=c.model,
                          clip_m=c.clip) for c in edits.cameras],
        "lights": [_light(e) for e in edits.lights],
        "parts": [_said(reference=p.reference, removed=p.removed, like=p.like, move_m=p.move if p.move != (0, 0) else None,
                        turn_rad=p.turn or None, at=p.at) for p in edits.parts],
        "materials": [_said(name=m.name, like=m.like, base_color=m.base_color, metallic=m.metallic, roughness=m.roughness,
                            conductivity=m.conductivity, specific_heat=m.specific_heat, density=m.density,
                            emissivity=m.emissivity,
                            composition=dict(m.composition) if m.composition else None) for m in edits.materials],
        "paints": [_said(parts=p.parts, was=p.was, now=p.now) for p in edits.paints],
        "approximated": list(edits.approximated), "not_carried": list(edits.not_carried)}
    return {key: value for key, value in out.items() if value}


def _said(**values: Any) -> dict[str, Any]:
    """Without what is None, "" or False; tuples as lists."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items() if v is not None and v != "" and v is not False}


def _light(edit: LightEdit) -> dict[str, Any]:
    out: dict[str, Any] = {"station": edit.station, "light": edit.light}
    lamp = edit.lamp
    if lamp is None:
        return out | {"removed": True}
    if isinstance(lamp, Dome):
        return out | {"dome": list(lamp.radiance)}
    if isinstance(lamp, Directional):
        return out | {"directional": {"direction": list(lamp.direction), "irradiance": list(lamp.irradiance),
                                      "shadows": lamp.shadows}}
    if isinstance(lamp, Ring):
        return out | {"ring": {"zenith_rad": [lamp.zenith_min, lamp.zenith_max], "radiance": list(lamp.radiance)}}
    return out | {"gain": {"exposure": lamp.exposure, "white_balance": list(lamp.white_balance), "noise": lamp.noise,
                           "blur": lamp.blur}}


KINDS: dict[str, tuple[type[_File], int]] = {
    "cameras": (CameraEditFile, MOST), "lights": (LightEditFile, MOST), "parts": (PartEditFile, MOST),
    "materials": (MaterialEditFile, MATERIALS_MOST), "paints": (PaintFile, MOST)}


def within(edits: Edits) -> tuple[Edits, list[tuple[Any, str]]]:
    """Those of ``edits`` that the section can hold, and the others, each with the reason."""
    kept: dict[str, Any] = {}
    odd: list[tuple[Any, str]] = []
    lost: set[str] = set()                     # names of new materials among the others
    for kind, (model, most) in KINDS.items():
        fit: list[Any] = []
        for edit in getattr(edits, kind):
            why = _unfit(model, section(Edits(**{kind: (edit,)}))[kind][0])
            if not why and len(fit) == most:
                why = f"more than {most} {kind} changed"
            if not why and isinstance(edit, Paint) and edit.now in lost:
                why = f"the material '{edit.now}' is not carried"
            if not why:
                fit.append(edit)
                continue
            odd.append((edit, why))
            lost |= {edit.name} if isinstance(edit, MaterialEdit) and edit.like else set()
        kept[kind] = tuple(fit)
    return Edits(**kept, approximated=edits.approximated, not_carried=edits.not_carried), odd


def _unfit(model: type[_File], said: dict[str, Any]) -> str:
    """Why an entry of the section is none, or ""."""
    try:
        model.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place + ': ' if place else ''}{first['msg'].removeprefix('Value error, ')}" + (
            f", and it is {shown(first['input'])}" if place else "")
    return ""


def with_edits(text: str, edits: Edits) -> str:
    """The text of a scene file with ``edits`` as its section, instead of one that may be there. The rest keeps its comments."""
    head, mark, _ = text.partition(TITLE)
    if not mark and "edits" in (data := yaml.safe_load(text)):
        head = yaml.safe_dump({k: v for k, v in data.items() if k != "edits"}, sort_keys=False, allow_unicode=True, width=120)
    found = section(edits)
    if not found:
        return head
    return head.rstrip("\n") + "\n\n" + TITLE + yaml.safe_dump({"edits": found}, sort_keys=False, allow_unicode=True, width=120,
                                                             default_flow_style=None)


def counted(content: dict[str, Any]) -> dict[str, Any]:
    """A scene's content as its digest counts it: edits as ``section`` writes them, without what they only say and do not do."""
    said = section(EditsFile.model_validate(content.get("edits") or {}).edits())
    edits = {k: v for k, v in said.items() if k not in ("approximated", "not_carried")}
    return {k: v for k, v in content.items() if k != "edits"} | ({"edits": edits} if edits else {})


__all__ = ["CLIP", "FOCUS", "LINES_MOST", "EditsFile", "counted", "section", "with_edits", "within"]
