"""Recipe: what to generate. One YAML file, checked once on reading; past this module nobody checks again.

The unit of a number is in its key (``offset_um``, ``roll_deg``, ``temperature_k``); a key without one is a pure factor.
``digest(scene)`` covers what determines a sample's content: everything but ``count``, ``shard_size``, ``outputs`` and
``execution``. Sample ids are made from it, so raising ``count`` keeps every sample that is already there.
"""
from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from domain_randomization.distributions import Choice, Distribution, Normal, Section, constant, normal, one_of, uniform, within
from domain_randomization.randomizers.palettes import FINISHES, MASK_COLORS
from domain_randomization.scenario import Came, Cause, Onset, Scenario
from scenes.errors import RecipeError
from scenes.scene import Scene
from scenes.yaml_file import explain, mapping, read_text

UNITS: dict[str, dict[str, float]] = {         # unit of the taxonomy → what may be written, and its factor
    "m": {"m": 1.0, "mm": 1e-3, "um": 1e-6, "µm": 1e-6},
    "rad": {"rad": 1.0, "deg": 0.017453292519943295},
    "1": {"1": 1.0, "percent": 1e-2, "%": 1e-2},
}


class Interval(Section):
    """A range of severities with its unit, which must convert to the defect's own."""

    min: float
    max: float
    unit: str

    @model_validator(mode="after")
    def _ordered(self) -> Interval:
        if self.min >= self.max:
            raise ValueError(f"min {self.min:g} must be below max {self.max:g}")
        if not any(self.unit in units for units in UNITS.values()):
            raise ValueError(f"unit '{self.unit}' is not known; known: {', '.join(u for t in UNITS.values() for u in t)}")
        return self


class Quota(Section):
    """So many samples with one defect. Names come from the scene family's taxonomy, checked when the scene is known."""

    defect: str
    count: int = Field(ge=1, le=1_000_000, description="samples of each level, or of the severity range")
    levels: Literal["any", "all"] | tuple[str, ...] = Field(
        default="any", description="'any', 'all', or names: mild, moderate, gross")
    severity: Interval | None = Field(default=None, description="a range of your own instead of levels")

    @model_validator(mode="after")
    def _one_way(self) -> Quota:
        if self.severity is not None and self.levels != "any":
            raise ValueError("give either 'levels' or 'severity', not both")
        return self


class Splits(Section):
    """Fractions of the units. They are filled evenly within every quota, so that no split lacks a defect."""

    train: float = Field(default=0.8, ge=0)
    val: float = Field(default=0.1, ge=0)
    test: float = Field(default=0.1, ge=0)

    @model_validator(mode="after")
    def _sum(self) -> Splits:
        if abs(self.train + self.val + self.test - 1) > 1e-9:
            raise ValueError(f"train + val + test is {self.train + self.val + self.test:g}; it must be 1")
        return self


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Clock(Section):
    """The line's simulated clock: sample ``index`` is taken at start + index × takt."""

    start: Annotated[datetime, AfterValidator(_utc)] = datetime(2026, 1, 1, 6, 0, 0, tzinfo=UTC)
    takt_s: float = Field(default=30.0, gt=0, le=86400)


class Frames(Section):
    """Which pictures a sample holds. None takes the station's own value."""

    view: Literal["scene", "tiles", "board"] = "scene"
    tiles: Literal["cycle", "random", "all"] = Field(
        default="cycle", description="one tile a sample, in turn or at random, or all; a quota's sample always shows its defect")
    overlap: float = Field(default=0.1, ge=0, le=0.9, description="of neighbouring tiles, fraction of a tile")
    margin_mm: float = Field(default=1.0, ge=0, le=50, description="around the product in a 'board' view")
    pixel_um: float | None = Field(default=None, gt=0, le=1000)
    width: int | None = Field(default=None, ge=16, le=8192)
    height: int | None = Field(default=None, ge=16, le=8192)


class Clip(Section):
    """Frames at a rate instead of one picture, by the colour camera. Conveyor and exposure are the scene's (``motion``)."""

    frames: int = Field(ge=2, le=600)
    rate_hz: float = Field(gt=0, le=10_000)
    flicker: within(0, 1) = Field(default=constant(0), description="of the lamps, at twice the frequency of the mains: "  # type: ignore[valid-type]
                                  "0 steady, 1 dark once in every period; its phase is random")
    mains_hz: Literal[50, 60] = 50


class LightingRange(Section):
    """How the lamps differ from the scene's. Gains are factors."""

    exposure_gain: within(0.01, 100) = uniform(0.85, 1.2)  # type: ignore[valid-type]
    ring_gain: within(0, 10) = Field(default=uniform(0.8, 1.2), description="of each ring tier on its own")  # type: ignore[valid-type]
    dome_gain: within(0, 10) = uniform(0.8, 1.2)  # type: ignore[valid-type]
    lamp_gain: within(0, 10) = Field(default=uniform(0.8, 1.2), description="of each directional lamp on its own")  # type: ignore[valid-type]
    lamp_elevation_deg: within(-45, 45) = Field(default=normal(0, 2), description="added to each lamp")  # type: ignore[valid-type]
    lamp_azimuth_deg: within(-180, 180) = Field(default=normal(0, 3), description="added to each lamp")  # type: ignore[valid-type]
    temperature_k: within(2000, 20000) = Field(  # type: ignore[valid-type]
        default=uniform(5000, 6500), description="colour temperature of all lamps")
    balanced_k: float = Field(default=5700.0, ge=2000, le=20000, description="what looks white to the camera")


class CameraRange(Section):
    """How the camera differs from the scene's."""

    offset_um: within(-20000, 20000) = Field(default=normal(0, 40), description="in x and in y")  # type: ignore[valid-type]
    roll_deg: within(-180, 180) = normal(0, 0.2)  # type: ignore[valid-type]
    tilt_deg: within(-20, 20) = Field(default=constant(0), description="about x and about y, around the focus point")  # type: ignore[valid-type]
    scale: within(0.5, 2) = Field(default=normal(1, 0.002), description="factor on the pixel size")  # type: ignore[valid-type]
    blur_px: within(0, 20) = Field(default=uniform(0.0, 0.5), description="point spread beyond the lens's, standard deviation")  # type: ignore[valid-type]
    noise: within(0, 0.5) = Field(default=uniform(0.0, 0.002), description="read-out noise beyond the sensor's, of full scale")  # type: ignore[valid-type]


class LookRange(Section):
    """How the surfaces differ. Colours come from a palette and are then shifted in hue and lightness."""

    mask_color: one_of(*MASK_COLORS) = Choice(choice=("green", "dark_green", "blue", "red", "black", "white"),  # type: ignore[valid-type]
                                              weights=(8, 3, 3, 2, 2, 1))
    mask_hue_deg: within(-180, 180) = normal(0, 4)  # type: ignore[valid-type]
    mask_lightness: within(0.2, 3) = uniform(0.85, 1.15)  # type: ignore[valid-type]
    silk_lightness: within(0.2, 1.1) = uniform(0.85, 1.05)  # type: ignore[valid-type]
    laminate_lightness: within(0.2, 2) = uniform(0.85, 1.15)  # type: ignore[valid-type]
    finish: one_of(*FINISHES) = Choice(choice=("enig", "hasl", "osp", "tin"), weights=(4, 2, 1, 1))  # type: ignore[valid-type]
    finish_tint: within(0.5, 1.5) = Field(default=uniform(0.94, 1.06), description="factor on each channel")  # type: ignore[valid-type]
    mask_roughness: within(0.02, 1) = uniform(0.10, 0.30)  # type: ignore[valid-type]
    finish_roughness: within(0.02, 1) = uniform(0.20, 0.38)  # type: ignore[valid-type]
    solder_roughness: within(0.02, 0.17) = Field(  # type: ignore[valid-type]
        default=uniform(0.10, 0.17), description="of a healthy joint, perceptual; a colder one is rougher than that")
    part_tint: within(0, 1) = Field(default=uniform(0.05, 0.18), description="spread of body colours between parts")  # type: ignore[valid-type]
    marking_contrast: within(0, 1.5) = uniform(0.7, 1.1)  # type: ignore[valid-type]
    background: within(0, 1) = Field(default=uniform(0.0, 0.25), description="sRGB grey of what lies past the board's edge")  # type: ignore[valid-type]


class Process(Section):
    """What drifts on the line. Names and units are the family's: ``linetwin scene check`` lists them."""

    drifts: dict[str, Distribution] = Field(default_factory=dict)


class Outputs(Section):
    """What is stored beside the picture and its masks."""

    labels: tuple[Literal["instance", "part", "depth", "normal"], ...] = ("instance", "part", "depth", "normal")
    golden: bool = Field(default=False, description="a second frame of the same unit with its defects undone")
    rgb: Literal["png", "jpeg"] = Field(default="png", description="png is lossless, jpeg is not")
    jpeg_quality: int = Field(default=95, ge=1, le=100)

    @model_validator(mode="after")
    def _instance(self) -> Outputs:
        if "instance" not in self.labels:
            raise ValueError("labels: 'instance' must be among them; every mask is made from it")
        return self


class Execution(Section):
    """How it runs. Changes no byte of a dataset, and is in no digest."""

    workers: int | None = Field(default=None, ge=0, le=4096, description="None: one per core; 0: in this process, without Ray")
    recycle_shards: int = Field(default=64, ge=0, description="a worker is replaced after so many shards; 0: never")


class Recipe(Section):
    """What to generate. Read with :meth:`read`; see the module's docstring for its digest."""

    linetwin: Literal[1] = 1
    scene: Path = Field(description="scene file, relative to this one")
    station: str | None = Field(default=None, description="id of the station that looks; None: the first with a camera")
    modalities: tuple[Literal["rgb", "thermal", "xray"], ...] = Field(
        default=("rgb",), min_length=1, description="what is recorded of every unit: colour, infrared, X-ray")
    seed: int = Field(default=0, ge=0, lt=1 << 64)
    count: int = Field(ge=1, le=100_000_000)
    shard_size: int = Field(default=16, ge=1, le=4096, description="samples in one Parquet file")
    defective_fraction: float = Field(default=0.5, ge=0, le=1,
                                      description="share of the samples that serve the quotas, until these are met")
    quotas: tuple[Quota, ...] = ()
    quotas_each: int = Field(default=0, ge=0, description="so many of every defect that the product can host, at each level")
    splits: Splits = Splits()
    clock: Clock = Clock()
    frames: Frames = Frames()
    clip: Clip | None = Field(default=None, description="None: still pictures")
    lighting: LightingRange = LightingRange()
    camera: CameraRange = CameraRange()
    look: LookRange = LookRange()
    process: Process = Process()
    scenario: Scenario | None = Field(default=None, description="units of a running line; None: each unit is made on its own")
    outputs: Outputs = Outputs()
    execution: Execution = Execution()

    @model_validator(mode="after")
    def _each_once(self) -> Recipe:
        if len(set(self.modalities)) < len(self.modalities):
            raise ValueError("modalities: name each one once")
        return self

    @model_validator(mode="after")
    def _one_colour_camera(self) -> Recipe:
        if self.clip is not None and "rgb" not in self.modalities:
            raise ValueError("clip: is of the colour camera; add rgb to modalities, or remove clip")
        if self.clip is not None and self.frames.tiles == "all":
            raise ValueError("clip: shows one tile; set frames.tiles to 'cycle' or 'random', or remove clip")
        return self

    @model_validator(mode="after")
    def _the_line_decides(self) -> Recipe:
        if self.scenario is not None and (self.quotas or self.quotas_each or self.process.drifts):
            raise ValueError("scenario: the line decides what its units are; remove quotas, quotas_each and process.drifts, "
                             "and ask with scenario.causes and scenario.defects")
        return self

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read and check a recipe; ``scene`` becomes a path from the working directory.

        Raises:
            RecipeError: with file, dotted key and what to do, one line per finding.
        """
        path = Path(path)
        text = read_text(path, "a recipe", RecipeError)
        recipe = cls.parse(text, path)
        return recipe.model_copy(update={"scene": path.parent / recipe.scene})

    @classmethod
    def parse(cls, text: str, path: Path = Path("recipe")) -> Recipe:
        """A recipe from YAML text; ``path`` is what errors name."""
        data = mapping(text, path, "a recipe", RecipeError, "see examples/hello.yaml")
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise RecipeError("\n".join(explain(path, _plain(e), RECIPE_KEYS) for e in error.errors())) from None

    def with_count(self, count: int) -> Recipe:
        """The same recipe for so many samples: the first ones stay what they are. Raises RecipeError for less than one."""
        if count < 1:
            raise RecipeError(f"count: {count}; at least one sample")
        return self.model_copy(update={"count": count})

    def fraction(self) -> Fraction:
        """``defective_fraction`` as the decimal that was written, without binary rounding."""
        return Fraction(repr(self.defective_fraction)).limit_denominator(10**9)

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """JSON Schema of a recipe file, for editors: the short forms (a number, a name) are in it."""
        schema = super().model_json_schema(*args, **options)
        for name, scalar in (("Distribution", "number"), ("Choice", "string")):
            full = schema["$defs"][name]
            schema["$defs"][name] = {"anyOf": [{"type": scalar}, full], "description": full.get("description", "")}
        return schema

    def resolved(self) -> str:
        """YAML with every default spelled out, for meta/recipe.yaml: it names the scene.yaml beside it.

        Execution settings are left out: a dataset is the same whoever made it.
        """
        data = self.model_dump(mode="json", exclude={"execution"}) | {"scene": "scene.yaml"}
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)

    def digest(self, scene: Scene) -> str:
        """SHA-256 hex of what determines the content of sample i, whatever i."""
        unset = {name for name in ("clip", "scenario") if getattr(self, name) is None}   # as before there were such things
        data = self.model_dump(mode="json", exclude={"scene", "count", "shard_size", "outputs", "execution"} | unset)
        return _sha({"recipe": data, "scene": scene.digest()})


def _sha(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _plain(error: Any) -> dict[str, Any]:
    """A pydantic finding without pydantic's own words."""
    return {**error, "msg": error["msg"].removeprefix("Value error, ")}


def recipe_schema() -> dict[str, Any]:
    """JSON Schema of a recipe file, for editors."""
    return Recipe.model_json_schema()


RECIPE_KEYS = sorted({key for model in (
    Recipe, Quota, Interval, Splits, Clock, Frames, Clip, LightingRange, CameraRange, LookRange, Process, Scenario, Onset, Cause,
    Came, Outputs, Execution, Distribution, Normal) for key in model.model_fields})

__all__ = ["RECIPE_KEYS", "UNITS", "CameraRange", "Clip", "Clock", "Execution", "Frames", "Interval", "LightingRange",
           "LookRange", "Outputs", "Process", "Quota", "Recipe", "Splits", "recipe_schema"]
