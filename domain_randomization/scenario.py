"""Scenario: a stretch of production that the samples of a recipe come from.

With a scenario, nothing about a unit is drawn on purpose: the line runs, its machines wear and are mended, and a sample is a
unit that it made, with all that was measured and written on the way. Quotas then ask for units by what wore when they were
made (``causes``), or by what came of it (``defects``); they choose among the units that there are.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator

from domain_randomization.distributions import Section
from scenes.errors import RecipeError, SceneError
from scenes.line.model import Line
from scenes.scene import Scene

HOUR = 3600.0


class Onset(Section):
    """How one of the scene's drifts goes in this scenario. What is left out stays as the scene says."""

    start_h: float | None = Field(default=None, ge=0, description="nothing happens before")
    initial: float | None = Field(default=None, ge=0, lt=1, description="severity at the beginning")
    maintain: float | None = Field(default=None, gt=0, le=10,
                                   description="severity at which it is renewed; above 1: never before it fails")
    life_factor: float = Field(default=1.0, gt=0, le=100, description="on the life of the part: 0.1 wears ten times as fast")


class Cause(Section):
    """So many units made while a drift was between two severities. Each counts for one quota alone."""

    drift: str
    min: float = Field(default=0.3, ge=0, le=1)
    max: float = Field(default=1.0, ge=0, le=1)
    count: int = Field(ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _ordered(self) -> Cause:
        if self.min >= self.max:
            raise ValueError(f"min {self.min:g} must be below max {self.max:g}")
        return self


class Came(Section):
    """So many units that came out with a defect."""

    defect: str
    count: int = Field(ge=1, le=1_000_000)


class Scenario(Section):
    """What happens on the line, and which of its units are recorded."""

    title: str = Field(default="", max_length=200, description="for people: 'week 12: nozzle 3 wears'")
    hours: float = Field(gt=0, le=24 * 366, description="of production")
    drifts: dict[str, Onset] = Field(default_factory=dict, description="by the id of a drift of the scene")
    others: bool = Field(default=True, description="false: drifts that are not named here sleep")
    causes: tuple[Cause, ...] = ()
    defects: tuple[Came, ...] = ()
    history_s: float = Field(default=600.0, ge=0, le=24 * HOUR, description="of the slow channels before a unit is looked at")
    window_s: float = Field(default=0.5, ge=0, le=60, description="of the fast channels while a unit is in a station; 0: none")
    log_h: float = Field(default=8.0, ge=0, le=24 * 31, description="of the log before a unit is looked at")
    languages: tuple[Literal["en", "ko"], ...] = Field(default=("en",), min_length=1, description="of what people write")


def line_of(scene: Scene, scenario: Scenario) -> Line:
    """The scene's line as the scenario has it.

    Raises:
        SceneError: the scene says nothing about production.
        RecipeError: a drift that the scene does not have.
    """
    from scenes.line.drifts import KINDS  # late: reading a recipe need not load scipy

    line = scene.production
    if line is None:
        raise SceneError(f"{scene.path}: has no 'production:', so nothing is known of how the line runs; "
                         "see examples/living_line.scene.yaml")
    known = {d.id: d for d in line.drifts}
    for name in (*scenario.drifts, *(c.drift for c in scenario.causes)):
        if name not in known:
            raise RecipeError(f"scenario: the scene has no drift '{name}'; known: {', '.join(known) or 'none'}")
    drifts = []
    for drift in line.drifts:
        if drift.id in scenario.drifts:
            onset = scenario.drifts[drift.id]
            drift = replace(drift, start=drift.start if onset.start_h is None else onset.start_h * HOUR,
                            initial=drift.initial if onset.initial is None else onset.initial,
                            maintain=drift.maintain if onset.maintain is None else onset.maintain,
                            life=(drift.life or KINDS[drift.kind].life) * onset.life_factor)
        elif not scenario.others:
            drift = replace(drift, start=scenario.hours * HOUR, initial=0.0)
        drifts.append(drift)
    return replace(line, drifts=tuple(drifts))


__all__ = ["HOUR", "Came", "Cause", "Onset", "Scenario", "line_of"]
