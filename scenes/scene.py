"""Scene: a line as authored. One YAML file, checked once on reading; plain dataclasses behind it.

Lengths in the file carry their unit in the key (``pixel_um``, ``stencil_um``); inside everything is SI.
Paths are relative to the scene file.
"""
from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scenes.edits import CameraEdit, Edits, lit
from scenes.edits_file import EditsFile, counted
from scenes.errors import AssetError, SceneError
from scenes.instruments.aoi import Lens, LensFile, Motion, MotionFile, Sensor, SensorFile
from scenes.instruments.infrared import CoolingFile, InfraredCamera, InfraredFile, PoweredFile
from scenes.instruments.xray import FilterFile, XrayFile, XrayMachine
from scenes.line import authored
from scenes.line.authored import ChannelsFile, DriftFile, FlowFile, ProductionFile
from scenes.line.model import Line
from scenes.optics import Directional, Lighting, Ring
from scenes.yaml_file import explain, mapping, read_text

SCHEMA_VERSION = 1
STAGES = (".usda", ".usd", ".usdc")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RingFile(_File):
    """One tier of a ring light."""
    zenith_deg: tuple[float, float] = Field(description="inner and outer zenith angle of the tier")
    radiance: tuple[float, float, float] = Field(description="linear RGB, relative to a white diffuser")


class DirectionalFile(_File):
    """A collimated lamp."""
    elevation_deg: float = Field(gt=0, le=90)
    azimuth_deg: float = 0.0
    irradiance: tuple[float, float, float]
    shadows: bool = True


class LightingFile(_File):
    """All lamps of a station."""
    rings: tuple[RingFile, ...] = ()
    dome: tuple[float, float, float] = (0.0, 0.0, 0.0)
    directional: tuple[DirectionalFile, ...] = ()
    exposure: float = Field(1.0, gt=0)


class CameraFile(_File):
    """A camera over the product."""
    name: str = "top"
    model: Literal["telecentric", "perspective"] = "telecentric"
    pixel_um: float = Field(20.0, gt=0, le=1000, description="pixel size on the object")
    width: int = Field(1024, ge=16, le=8192)
    height: int = Field(1024, ge=16, le=8192)
    view: Literal["tiles", "board"] = Field("tiles", description="'tiles': frames of width × height cover the board; "
                                            "'board': one frame over all of it")
    distance_mm: float = Field(200.0, gt=1)
    sensor: SensorFile = SensorFile.model_validate({})
    lens: LensFile = LensFile.model_validate({})
    motion: MotionFile = MotionFile.model_validate({})


class StationFile(_File):
    """One station of the line."""
    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")
    kind: Literal["printer", "spi", "placement", "reflow", "aoi", "infrared", "axi", "test"] = "aoi"
    camera: CameraFile | None = None
    lighting: LightingFile | None = None
    infrared: InfraredFile | None = None
    xray: XrayFile | None = None
    flow: FlowFile | None = Field(None, description="how it treats units; on every station or on none")
    drifts: tuple[DriftFile, ...] = Field((), max_length=200)
    sensors: tuple[ChannelsFile, ...] = Field((), max_length=1000)


class PanelFile(_File):
    """Several copies of the board in one frame, each with a serial code."""
    rows: int = Field(1, ge=1, le=20)
    columns: int = Field(1, ge=1, le=20)
    gap_mm: float = Field(2.0, ge=0)
    rail_mm: float = Field(5.0, ge=0)
    serial: str = "SN{:04d}"


class ProductFile(_File):
    """What the line makes."""
    family: str = "smt"
    board: Path = Field(description="a .kicad_pcb file, or a folder of Gerber and Excellon files")
    centroid: Path | None = Field(None, description="pick-and-place CSV, for Gerber boards")
    bom: Path | None = Field(None, description="bill of materials CSV, for Gerber boards")
    side: Literal["front", "back"] = "front"
    panel: PanelFile | None = None
    models: tuple[Path, ...] = Field((), description="folders with STEP models; nothing outside them is read")
    acceptance: str = Field("class2", description="'class2', 'class3' or a path of a profile")
    stencil_um: float = Field(120.0, gt=20, le=400)
    thickness_mm: float = Field(1.6, gt=0.1, le=10, description="laminate of a Gerber board, which carries no stack-up")


class EquipmentFile(_File):
    """A machine's own geometry, for looking at the line."""
    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")
    model: Path = Field(description="STEP, glTF or URDF file")
    position_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)


class SceneFile(_File):
    """A line as authored."""
    linetwin: Literal[1] = 1
    name: str
    line: str = Field("Site/Area/Line 1", description="ISA-95 path of the line")
    product: ProductFile
    stations: tuple[StationFile, ...] = Field(min_length=1)
    production: ProductionFile | None = None
    equipment: tuple[EquipmentFile, ...] = ()
    edits: EditsFile = EditsFile.model_validate({})


@dataclass(frozen=True)
class CameraSpec:
    """A camera as authored; poses follow from the view and the product's extent."""
    name: str
    model: Literal["telecentric", "perspective"]
    pixel_size: float                          # [m] on the object
    width: int
    height: int
    view: Literal["tiles", "board"]
    distance: float                            # [m]
    sensor: Sensor = field(default_factory=Sensor)
    lens: Lens = field(default_factory=Lens)
    motion: Motion = field(default_factory=Motion)
    edits: tuple[CameraEdit, ...] = ()         # of its cameras, from a stage


@dataclass(frozen=True)
class Station:
    """One station. ``path`` is its ISA-95 id."""
    id: str
    kind: str
    path: str
    camera: CameraSpec | None
    lighting: Lighting | None
    infrared: InfraredCamera | None = None
    xray: XrayMachine | None = None
    edits: tuple[CameraEdit, ...] = ()         # of the cameras of all its instruments, from a stage


@dataclass(frozen=True)
class Panel:
    rows: int
    columns: int
    gap: float                                 # [m]
    rail: float                                # [m]
    serial: str


@dataclass(frozen=True)
class Product:
    """What the line makes, with resolved paths."""
    family: str
    board: Path
    centroid: Path | None
    bom: Path | None
    side: Literal["front", "back"]
    panel: Panel | None
    models: tuple[Path, ...]
    acceptance: str                            # "class2", "class3" or an absolute path
    stencil_thickness: float                   # [m]
    thickness: float                           # [m] for boards without a stack-up


@dataclass(frozen=True)
class Equipment:
    id: str
    model: Path
    position: tuple[float, float, float]       # [m]
    rotation: tuple[float, float, float]       # [rad] about x, y, z in this order


@dataclass(frozen=True)
class Scene:
    """A line: product, stations, equipment. Read with :meth:`read`."""
    name: str
    line: str
    product: Product
    stations: tuple[Station, ...]
    equipment: tuple[Equipment, ...]
    path: Path
    text: str                                  # the file as read, for meta/scene.yaml
    production: Line | None = None             # how it runs; None: it stands still
    edits: Edits = field(default_factory=Edits)    # what was changed in its stage; applied in ``stations`` already

    @classmethod
    def read(cls, path: str | Path) -> Scene:
        """Read and check a scene file, or the stage of one (.usda, .usd, .usdc): the scene that it was written from, with what
        was changed in it since as ``edits``. Raises SceneError with the file, the dotted key and what to do."""
        path = Path(path)
        if path.suffix.lower() in STAGES:
            from scenes.usd.authored import scene_text

            return cls.parse(*scene_text(path))
        return cls.parse(read_text(path, "a scene", SceneError), path, path.parent)

    @classmethod
    def parse(cls, text: str, path: Path, root: Path) -> Scene:
        """A scene from the text of its file; ``path`` is what errors name, ``root`` where its relative paths start."""
        data = mapping(text, path, "a scene", SceneError, "start one with 'linetwin scene new BOARD'")
        try:
            return _scene(SceneFile.model_validate(data), path, text, root)
        except ValidationError as error:
            raise SceneError("\n".join(explain(path, e, SCENE_KEYS) for e in error.errors())) from None

    def digest(self) -> str:
        """SHA-256 over the scene's content, its edits and the bytes of the files that it names (not their paths)."""
        return self._digest(counted(yaml.safe_load(self.text)))

    def product_digest(self) -> str:
        """The same of the product alone: equal where only stations, lights, names or folders differ."""
        content = counted(yaml.safe_load(self.text))
        product, edits = content["product"], content.get("edits", {})
        changed = {key: edits[key] for key in ("parts", "materials", "paints") if key in edits}
        return self._digest({key: product[key] for key in sorted(product) if key not in ("board", "centroid", "bom", "models")}
                            | ({"edits": changed} if changed else {}))

    def _digest(self, content: Any) -> str:
        sha = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode())
        profile = None if self.product.acceptance in ("class2", "class3") else Path(self.product.acceptance)
        for name in (self.product.board, self.product.centroid, self.product.bom, profile):
            if name is None:
                continue
            files = sorted(p for p in name.rglob("*") if p.is_file()) if name.is_dir() else [name]
            for file in files:
                try:
                    sha.update(hashlib.sha256(file.read_bytes()).digest())
                except OSError:
                    raise AssetError(f"{file}: cannot be read; the scene {self.path} names it") from None
        return sha.hexdigest()

    def camera_station(self) -> Station:
        """The first station with a camera. Raises SceneError where there is none."""
        for station in self.stations:
            if station.camera is not None:
                return station
        raise SceneError(f"{self.path}: no station has a camera; add 'camera:' to an AOI station")


def _keys(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


SCENE_KEYS = sorted(set().union(*map(_keys, authored.FILES), *(_keys(m) for m in (
    RingFile, DirectionalFile, LightingFile, CameraFile, SensorFile, LensFile, MotionFile, InfraredFile, PoweredFile, CoolingFile,
    XrayFile, FilterFile, StationFile, PanelFile, ProductFile, EquipmentFile, SceneFile))))


def _lighting(file: LightingFile) -> Lighting:
    rings = tuple(Ring(math.radians(r.zenith_deg[0]), math.radians(r.zenith_deg[1]), r.radiance) for r in file.rings)
    lamps = []
    for lamp in file.directional:
        el, az = math.radians(lamp.elevation_deg), math.radians(lamp.azimuth_deg)
        direction = (math.cos(el) * math.cos(az), math.cos(el) * math.sin(az), math.sin(el))
        lamps.append(Directional(direction, lamp.irradiance, lamp.shadows))
    return Lighting(rings, file.dome, tuple(lamps), file.exposure)


def _camera(file: CameraFile) -> CameraSpec:
    return CameraSpec(file.name, file.model, file.pixel_um * 1e-6, file.width, file.height, file.view, file.distance_mm * 1e-3,
                      file.sensor.sensor(), file.lens.lens(), file.motion.motion())


def _equipment(file: EquipmentFile, root: Path) -> Equipment:
    (x, y, z), (a, b, c) = file.position_mm, file.rotation_deg
    return Equipment(file.id, (root / file.model).resolve(), (x * 1e-3, y * 1e-3, z * 1e-3),
                     (math.radians(a), math.radians(b), math.radians(c)))


def _scene(file: SceneFile, path: Path, text: str, root: Path) -> Scene:
    product, panel = file.product, file.product.panel
    acceptance = product.acceptance
    if acceptance not in ("class2", "class3"):
        acceptance = str((root / acceptance).resolve())
    ids = [s.id for s in file.stations]
    for name in ids:
        if ids.count(name) > 1:
            raise SceneError(f"{path}: stations: id '{name}' is used {ids.count(name)} times; every station has its own")
    machines = [e.id for e in file.equipment]
    if twice := [name for name in machines if machines.count(name) > 1]:
        raise SceneError(f"{path}: equipment: id '{twice[0]}' is used {machines.count(twice[0])} times; every machine has its "
                         "own, and one with a station's id stands in for that station's")
    edits = file.edits.edits()
    if unknown := [s for s in (*(e.station for e in edits.cameras), *(e.station for e in edits.lights)) if s not in ids]:
        raise SceneError(f"{path}: edits: station '{unknown[0]}' is not in the scene; known: {', '.join(ids)}")
    edits.table()                              # an unknown material is told here, not when the first unit is drawn
    stations = tuple(_station(s, file.line, edits) for s in file.stations)
    return Scene(
        file.name, file.line,
        Product(product.family, (root / product.board).resolve(),
                (root / product.centroid).resolve() if product.centroid else None,
                (root / product.bom).resolve() if product.bom else None, product.side,
                Panel(panel.rows, panel.columns, panel.gap_mm * 1e-3, panel.rail_mm * 1e-3, panel.serial) if panel else None,
                tuple((root / m).resolve() for m in product.models), acceptance,
                product.stencil_um * 1e-6, product.thickness_mm * 1e-3),
        stations,
        tuple(_equipment(e, root) for e in file.equipment),
        # / 1e6, not * 1e-6: 120 µm to the bit, as runs have it that do not tell their stencil
        path, text, authored.line(path, file.line, file.production, file.stations, product.stencil_um / 1e6),
        edits)


def _station(file: StationFile, line: str, edits: Edits) -> Station:
    mine = tuple(e for e in edits.cameras if e.station == file.id)
    camera = _camera(file.camera) if file.camera else None
    if camera is not None:
        camera = replace(camera, edits=tuple(e for e in mine if e.modality == "rgb"))
    lighting = lit(_lighting(file.lighting) if file.lighting else None, [e for e in edits.lights if e.station == file.id])
    return Station(file.id, file.kind, f"{line}/{file.id}", camera, lighting,
                   file.infrared.instrument() if file.infrared else None, file.xray.machine() if file.xray else None, mine)


__all__ = ["SCENE_KEYS", "STAGES", "CameraSpec", "Equipment", "Panel", "Product", "Scene", "SceneFile", "Station"]
