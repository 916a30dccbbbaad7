"""The protocol between the renderer and its worker, version 1. This module is its definition.

Two pipes carry one JSON object per line (UTF-8, at most ``LINE_MOST`` bytes): requests down, answers up. They are not the
worker's standard streams, which belong to Isaac Sim and its log. The worker never speaks first: each request has a number,
and each answer carries the number of its request. Arrays do not travel in lines. They lie in a shared folder (mode 0700) as
``.npy`` files without pickled objects; a line names them by plain file names, and both sides check type, shape and size
before they read. A request that fails is answered with an ``error``; the host then ends the worker.

    → {"id": 1, "do": "hello", "protocol": 1, "shared": "/tmp/…", "seed": 0, "mode": "RealTimePathTracing"}
    ← {"id": 1, "ok": true, "protocol": 1, "versions": {"isaacsim": "6.0.1", …}}      Isaac Sim is up; may take minutes
    → {"id": 2, "do": "open_stage", "stage": "stage/line.usda"}
    ← {"id": 2, "ok": true, "meshes": 812, "instanced": 96}       96 prims were instanced and are not any more
    → {"id": 3, "do": "delta", "arrays": {"points": "d3-points.npy", …}, "edits": [{"edit": "pose", …}, …]}
    ← {"id": 3, "ok": true, "edits": 57}
    → {"id": 4, "do": "capture", "camera": "/World/…/Camera_top", "width": 640, "height": 480, "buffers": ["rgb"], …}
    ← {"id": 4, "ok": true, "files": {"rgb": "c4-rgb.npy"}, "seen": 61}
    → {"id": 5, "do": "close"}
    ← {"id": 5, "ok": true}

Units are SI. A matrix is 16 numbers row by row and acts on column vectors: ``p_parent = M p_own``. Colours are linear.
"""
from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PROTOCOL = 1
LINE_MOST = 1 << 24                            # [bytes] 16 MiB: the poses of some 30 000 parts
FILE = r"^[a-z0-9][a-z0-9_-]{0,80}\.npy$"      # an array in the shared folder
PICTURE = r"^[a-z0-9][a-z0-9_-]{0,80}\.png$"   # a texture in the shared folder
PRIM = r"^(/[A-Za-z_][A-Za-z0-9_]*)+$"         # an absolute prim path

Matrix = Annotated[tuple[float, ...], Field(min_length=16, max_length=16)]
Color = tuple[float, float, float]
Span = tuple[int, int]                         # [first, last) rows of an array
Prim = Annotated[str, Field(pattern=PRIM, max_length=1000)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Pose(_Message):
    """Set a prim's place relative to its parent."""
    edit: Literal["pose"] = "pose"
    path: Prim
    matrix: Matrix


class Show(_Message):
    """Show or hide a prim and what is below it."""
    edit: Literal["show"] = "show"
    path: Prim
    visible: bool


class Remove(_Message):
    """Take a prim out of the stage. What a delta has defined is deleted, what the stage brought is made inactive."""
    edit: Literal["remove"] = "remove"
    path: Prim


class Group(_Message):
    """Define an Xform that carries a label id, for meshes that follow. It is empty: what was below it before is taken out of the
    stage, so that nothing of an earlier thing with this id is seen."""
    edit: Literal["group"] = "group"
    path: Prim
    instance: int = Field(ge=0, lt=1 << 32)
    labels: dict[str, str] = {}                # taxonomy → label, for UsdSemantics


class Shape(_Message):
    """Define a mesh, or replace one: rows of the delta's arrays ``points`` (V, 3), ``normals`` (V, 3), ``st`` (V, 2; where
    ``textured``) and ``faces`` (F, 3), whose indices count from the first vertex of the span. ``color``, ``opacity`` and
    ``roughness`` are for materials that read them."""
    edit: Literal["mesh"] = "mesh"
    path: Prim
    vertices: Span
    faces: Span
    part: str = Field(pattern=r"^[a-z]{1,20}$")                # name of a PartKind in lower case
    material: Prim
    instance: int | None = Field(default=None, ge=0, lt=1 << 32)     # None: that of the nearest prim above
    textured: bool = False
    color: Color | None = None
    opacity: float | None = Field(default=None, ge=0, le=1)
    roughness: float | None = Field(default=None, ge=0, le=1)
    labels: dict[str, str] = {}                # taxonomy → label, for UsdSemantics


class Surface(_Message):
    """Define a UsdPreviewSurface material, or change it. What it ``reads`` from its mesh takes the place of its own value."""
    edit: Literal["material"] = "material"
    path: Prim
    color: Color
    metallic: float = Field(ge=0, le=1)
    roughness: float = Field(ge=0, le=1)
    opacity: float = Field(default=1.0, ge=0, le=1)
    reads: tuple[Literal["displayColor", "displayOpacity", "roughness"], ...] = ()
    picture: str | None = Field(default=None, pattern=PICTURE)       # sRGB, in the shared folder: the colour, over ``st``


class Paint(_Message):
    """Give a mesh a colour of its own, and a material that reads it (``displayColor``)."""
    edit: Literal["paint"] = "paint"
    path: Prim
    color: Color
    material: Prim


class Picture(_Message):
    """Give a UsdUVTexture another picture. Its name is a new one each time, or a renderer may keep the old one. That of a
    ``Surface`` is its child ``Color``."""
    edit: Literal["picture"] = "picture"
    path: Prim                                 # of the texture's shader
    file: str = Field(pattern=PICTURE)         # in the shared folder


class Lamp(_Message):
    """Define a light, or change it: a dome without a picture, a distant lamp or a disk, which shine along their −z."""
    edit: Literal["light"] = "light"
    path: Prim
    kind: Literal["dome", "distant", "disk"]
    intensity: float = Field(ge=0)             # of a distant lamp what falls on a surface that faces it, else radiance
    color: Color
    matrix: Matrix | None = None               # not of a dome
    radius: float = Field(default=0.0, ge=0)   # [m] of a disk
    shadows: bool = True


class Lens(_Message):
    """Set a camera: its pose relative to its parent and its frustum."""
    edit: Literal["camera"] = "camera"
    path: Prim
    matrix: Matrix
    model: Literal["telecentric", "perspective"]
    width_m: float = Field(gt=0)               # [m] of the picture in the focus plane
    height_m: float = Field(gt=0)
    distance: float = Field(gt=0)              # [m] camera to focus plane
    near: float = Field(gt=0)
    far: float = Field(gt=0)


Edit = Annotated[Pose | Show | Remove | Group | Shape | Surface | Paint | Picture | Lamp | Lens,
                 Field(discriminator="edit")]


class Hello(_Message):
    """Start Isaac Sim with these settings and say which one it is."""
    do: Literal["hello"] = "hello"
    id: int
    protocol: int = PROTOCOL
    shared: str                                # absolute path of the shared folder
    seed: int = 0
    mode: str                                  # RTX renderer: "RealTimePathTracing", "PathTracing", "RaytracedLighting"
    offline: bool = True                       # do not ask the extension registry: a missing extension fails at once
    settings: dict[str, bool | int | float | str] = {}         # further settings of the application


class OpenStage(_Message):
    """Open a stage in the shared folder and undo its instancing, in the session layer."""
    do: Literal["open_stage"] = "open_stage"
    id: int
    stage: str = Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\.usd[ac]?$")


class Delta(_Message):
    """Change the stage: all edits in order, in the session layer. Nothing is drawn yet."""
    do: Literal["delta"] = "delta"
    id: int
    arrays: dict[Literal["points", "normals", "st", "faces"], Annotated[str, Field(pattern=FILE)]] = {}
    edits: tuple[Edit, ...]


class Capture(_Message):
    """Draw what a camera sees, and write its buffers."""
    do: Literal["capture"] = "capture"
    id: int
    camera: Prim
    width: int = Field(ge=1, le=8192)
    height: int = Field(ge=1, le=8192)
    buffers: tuple[Literal["rgb", "depth", "normal", "instance", "part"], ...]
    subframes: int = Field(ge=1, le=1024)      # frames that RTX accumulates before the one that counts
    lit: bool = True                           # False: the lamps are off, and a black picture is right


class Close(_Message):
    """End Isaac Sim and the worker."""
    do: Literal["close"] = "close"
    id: int


Request = Hello | OpenStage | Delta | Capture | Close


class Failure(_Message):
    """Why a request failed. ``kind`` is one of ``failures.KINDS``."""
    kind: str = Field(max_length=40)
    message: str = Field(max_length=4000)


class Answer(_Message):
    """What every answer has."""
    id: int
    ok: bool
    error: Failure | None = None


class HelloAnswer(Answer):
    protocol: int = PROTOCOL
    versions: dict[str, str] = {}              # isaacsim, omni.replicator.core, python, numpy


class OpenAnswer(Answer):
    meshes: int = 0
    instanced: int = 0


class DeltaAnswer(Answer):
    edits: int = 0


class CaptureAnswer(Answer):
    files: dict[str, Annotated[str, Field(pattern=FILE)]] = {}
    seen: int = 0                              # how many label ids have a pixel


ANSWERS: dict[str, type[Answer]] = {"hello": HelloAnswer, "open_stage": OpenAnswer, "delta": DeltaAnswer,
                                    "capture": CaptureAnswer, "close": Answer}

__all__ = ["ANSWERS", "LINE_MOST", "PROTOCOL", "Answer", "Capture", "CaptureAnswer", "Close", "Delta", "DeltaAnswer", "Edit",
           "Failure", "Group", "Hello", "HelloAnswer", "Lamp", "Lens", "OpenAnswer", "OpenStage", "Paint", "Picture", "Pose",
           "Remove", "Request", "Shape", "Show", "Surface"]
