"""Distributions as a recipe writes them. Each maps *one* uniform number to a value, by its inverse distribution function.

So every value costs exactly one draw whatever its distribution, and changing a range moves values without shifting
which draw belongs to what. In YAML: ``1.0`` (constant), ``{uniform: [0.8, 1.2]}``, ``{loguniform: [0.1, 10]}``,
``{normal: {mean: 0, std: 1, low: -3, high: 3}}``, ``{choice: [1, 2, 5], weights: [2, 1, 1]}``. The unit is in the key
that the distribution is written under.
"""
from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_serializer, model_validator


class Section(BaseModel):
    """A mapping in a recipe: unknown keys are refused, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Normal(Section):
    """A normal distribution cut off at ``low`` and ``high`` (3 standard deviations unless told)."""

    mean: float
    std: float = Field(ge=0)
    low: float | None = None
    high: float | None = None

    @property
    def ends(self) -> tuple[float, float]:
        return (self.mean - 3 * self.std if self.low is None else self.low,
                self.mean + 3 * self.std if self.high is None else self.high)

    @model_validator(mode="after")
    def _ordered(self) -> Normal:
        low, high = self.ends
        if low > high or not low <= self.mean <= high:
            raise ValueError(f"low {low} ≤ mean {self.mean} ≤ high {high} does not hold")
        return self


def _pick(u: float, weights: Sequence[float]) -> int:
    """Index i with cumulative weight(i) ≤ u · total < cumulative weight(i + 1)."""
    total = list(itertools.accumulate(weights))
    return min(bisect.bisect_right(total, u * total[-1]), len(weights) - 1)


def _check_weights(count: int, weights: Sequence[float] | None) -> None:
    if weights is None:
        return
    if len(weights) != count:
        raise ValueError(f"weights: {len(weights)} given for {count} choices; give one each")
    if any(w < 0 for w in weights) or sum(weights) <= 0:
        raise ValueError("weights: must be ≥ 0 with a positive sum")


class Distribution(Section):
    """One number: exactly one of the five kinds is set."""

    constant: float | None = None
    uniform: tuple[float, float] | None = None
    loguniform: tuple[float, float] | None = None
    normal: Normal | None = None
    choice: tuple[float, ...] | None = Field(default=None, min_length=1)
    weights: tuple[float, ...] | None = Field(default=None, description="of the choices, any positive scale")

    @model_validator(mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        return {"constant": value} if isinstance(value, int | float) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _one_kind(self) -> Distribution:
        kinds = [k for k in ("constant", "uniform", "loguniform", "normal", "choice") if getattr(self, k) is not None]
        if len(kinds) != 1:
            raise ValueError(f"a distribution has one of constant, uniform, loguniform, normal, choice; got {kinds or 'none'}")
        for pair in (self.uniform, self.loguniform):
            if pair is not None and pair[0] > pair[1]:
                raise ValueError(f"low {pair[0]} is above high {pair[1]}; swap them")
        if self.loguniform is not None and self.loguniform[0] <= 0:
            raise ValueError("loguniform: low must be above 0")
        if self.weights is not None and self.choice is None:
            raise ValueError("weights: only a choice has weights")
        _check_weights(len(self.choice or ()), self.weights)
        return self

    def at(self, u: float) -> float:
        """The value at the cumulative probability ``u`` in [0, 1)."""
        if self.constant is not None:
            return self.constant
        if self.uniform is not None:
            low, high = self.uniform
            return low + (high - low) * u
        if self.loguniform is not None:
            low, high = self.loguniform
            return min(max(low * (high / low) ** u, low), high)
        if self.normal is not None:
            return _truncated(self.normal, u)
        assert self.choice is not None
        return self.choice[_pick(u, self.weights or (1.0,) * len(self.choice))]

    def ends(self) -> tuple[float, float]:
        """The smallest and largest value that can be drawn."""
        if self.constant is not None:
            return self.constant, self.constant
        if self.normal is not None:
            return self.normal.ends
        values = self.uniform or self.loguniform or self.choice
        assert values is not None
        return min(values), max(values)

    @model_serializer
    def _compact(self) -> Any:
        if self.constant is not None:
            return self.constant
        if self.normal is not None:            # its ends spelled out: the same digest whether they were written or not
            low, high = self.normal.ends
            return {"normal": {"mean": self.normal.mean, "std": self.normal.std, "low": low, "high": high}}
        return {k: list(v) for k in ("uniform", "loguniform", "choice", "weights") if (v := getattr(self, k)) is not None}


def _truncated(normal: Normal, u: float) -> float:
    low, high = normal.ends
    if normal.std == 0 or low == high:
        return min(max(normal.mean, low), high)
    standard = NormalDist()
    p0, p1 = standard.cdf((low - normal.mean) / normal.std), standard.cdf((high - normal.mean) / normal.std)
    p = min(max(p0 + (p1 - p0) * u, 1e-300), math.nextafter(1.0, 0.0))     # inv_cdf is open at both ends
    return min(max(normal.mean + normal.std * standard.inv_cdf(p), low), high)


class Choice(Section):
    """One name out of several. In YAML: ``green`` or ``{choice: [green, blue], weights: [3, 1]}``."""

    choice: tuple[str, ...] = Field(min_length=1)
    weights: tuple[float, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _name(cls, value: Any) -> Any:
        return {"choice": [value]} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _weighted(self) -> Choice:
        _check_weights(len(self.choice), self.weights)
        return self

    def at(self, u: float) -> str:
        return self.choice[_pick(u, self.weights or (1.0,) * len(self.choice))]

    @model_serializer
    def _compact(self) -> Any:
        if len(self.choice) == 1:
            return self.choice[0]
        return {"choice": list(self.choice)} | ({"weights": list(self.weights)} if self.weights else {})


def within(low: float, high: float) -> Any:
    """The annotated type of a Distribution whose values all lie in [low, high]."""
    def check(value: Distribution) -> Distribution:
        a, b = value.ends()
        if a < low or b > high:
            raise ValueError(f"values from {a:g} to {b:g} can be drawn; allowed is {low:g} to {high:g}")
        return value

    return Annotated[Distribution, AfterValidator(check)]


def one_of(*names: str) -> Any:
    """The annotated type of a Choice among ``names``."""
    def check(value: Choice) -> Choice:
        for name in value.choice:
            if name not in names:
                raise ValueError(f"'{name}' is not known; known: {', '.join(names)}")
        return value

    return Annotated[Choice, AfterValidator(check)]


def constant(value: float) -> Distribution:
    return Distribution(constant=value)


def uniform(low: float, high: float) -> Distribution:
    return Distribution(uniform=(low, high))


def normal(mean: float, std: float) -> Distribution:
    """Cut off at three standard deviations."""
    return Distribution(normal=Normal(mean=mean, std=std))


__all__ = ["Choice", "Distribution", "Normal", "Section", "constant", "normal", "one_of", "uniform", "within"]
