"""profile: an acceptance profile, the editable numbers that the rules compare with."""
from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from scenes.errors import AssetError, SceneError
from scenes.yaml_file import explain, mapping, read_text

FOLDER = Path(__file__).parent / "profiles"
VOID_SHARES = (0.25, 0.30)
Provenance = Literal["engineering-default", "V", "S1", "S2", "S3", "K", "user"]


class Rule(BaseModel):
    """One number with where it comes from: a grade of the domain reference, or an engineering default."""
    model_config = ConfigDict(extra="forbid", frozen=True)
    limit: float = Field(ge=0)
    provenance: Provenance
    note: str = ""

    @field_validator("limit")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("is not a finite number")
        return value


class Rules(BaseModel):
    """Every rule by name; the unit is in the key, shares have none."""
    model_config = ConfigDict(extra="forbid", frozen=True)
    chip_side_overhang: Rule
    chip_end_overhang_um: Rule
    chip_joint_width: Rule
    gullwing_side_overhang: Rule
    gullwing_side_overhang_um: Rule
    flat_side_overhang: Rule
    ball_side_overhang: Rule
    lead_end_overhang_um: Rule
    rotation_deg: Rule
    tombstone_deg: Rule
    bridge_width_um: Rule
    insufficient_volume: Rule
    excess_volume: Rule
    cold_roughness: Rule
    pillow_gap_um: Rule
    void_share: Rule
    lifted_gap_um: Rule
    ball_diameter_um: Rule
    ball_count: Rule
    residue_extent_mm: Rule
    residue_stain: Rule
    scratch_length_mm: Rule
    scratch_width_um: Rule

    @field_validator("void_share")
    @classmethod
    def _one_of_two(cls, rule: Rule) -> Rule:
        if rule.limit not in VOID_SHARES:
            raise ValueError("sources give two limits; choose 0.25 or 0.30")
        return rule


class Profile(BaseModel):
    """A named set of rules."""
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    note: str = ""
    rules: Rules

    def limit(self, rule: str) -> float:
        """The rule's limit in SI units: keys in um, mm and deg are converted, shares are as they are."""
        value: float = getattr(self.rules, rule).limit
        if rule.endswith("_um"):
            return value * 1e-6
        if rule.endswith("_mm"):
            return value * 1e-3
        return math.radians(value) if rule.endswith("_deg") else value


KEYS = sorted({*Rule.model_fields, *Rules.model_fields, *Profile.model_fields})


def read_profile(path: Path) -> Profile:
    """Read and check a profile file. Raises AssetError or SceneError, one line per finding."""
    text = read_text(path, "an acceptance profile", AssetError, ", or say 'class2' or 'class3'")
    data = mapping(text, path, "an acceptance profile", SceneError, "see the shipped ones, class2 and class3")
    try:
        return Profile.model_validate(data)
    except ValidationError as error:
        raise SceneError("\n".join(explain(path, e, KEYS) for e in error.errors())) from None


@lru_cache(maxsize=8)
def load_profile(name: str) -> Profile:
    """A shipped profile by name ("class2", "class3"), or one from a file."""
    return read_profile(FOLDER / f"{name}.yaml" if name in ("class2", "class3") else Path(name))


__all__ = ["Profile", "Rule", "Rules", "load_profile", "read_profile"]
