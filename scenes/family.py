"""Family: what a product family tells the rooms above, and nothing more.

``scenes/smt/family.py`` is the first. Rooms above hold ``product``, ``process`` and ``state`` as opaque values; they are
passed back, stored through ``Process`` round trips, and never looked into.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from shapely.geometry.base import BaseGeometry

from scenes.geometry import Geometry
from scenes.heat import Cooling, Powered, TemperatureField
from scenes.optics import Look


@dataclass(frozen=True)
class Defect:
    """One category of the taxonomy. ``severity_unit`` is "" where the defect is all or nothing."""
    name: str                                  # "insufficient", …
    title: str                                 # for people
    severity: str = ""                         # what is measured: "side overhang", …
    severity_unit: str = ""                    # "m", "rad", "1"
    severity_levels: tuple[tuple[float, float], ...] = ()   # (low, high) per level, mild to gross; () where not continuous
    hidden_from: tuple[str, ...] = ()          # modalities that physics hides it from: ("rgb",)


@dataclass(frozen=True)
class Taxonomy:
    """Categories in their fixed order; category ids are 1 + the position here, then the part classes follow."""
    defects: tuple[Defect, ...]
    parts: tuple[str, ...]                     # part classes, e.g. "chip_resistor"

    def category_id(self, name: str) -> int:
        names = [d.name for d in self.defects] + list(self.parts)
        return 1 + names.index(name)


@dataclass(frozen=True)
class Target:
    """What a quota asks of one unit: this defect, with a severity in [low, high] of the defect's own unit."""
    defect: str
    low: float = -np.inf
    high: float = np.inf
    host: str = ""                             # reference designator, or "" for any


@dataclass(frozen=True, eq=False)
class Finding:
    """One labelled object on a unit: a defect that a rule found, or (``defect`` "") a part that is as it should be.

    Its mask is the union of the pixels of ``instances`` and of the board's own pixels (and part PAD, PASTE) inside
    ``region``. ``host`` names the part, or "" for findings on the bare board.
    """
    category: str                              # defect name, or part class for a good part
    defect: str                                # "" for a good part
    host: str                                  # reference designator
    pads: tuple[str, ...] = ()
    instances: tuple[int, ...] = ()
    region: BaseGeometry | None = None         # board frame [m]; the land pattern of a missing part
    severity: float = np.nan                   # in the unit of the taxonomy
    rule: str = ""                             # which rule of the acceptance profile fired
    measured: Mapping[str, float] = field(default_factory=dict)   # the numbers that the rule compared, SI


@dataclass(frozen=True)
class Call:
    """One verdict of an inspection machine, with the truth: a hit, an escape (real, not called) or a false call."""
    defect: str
    host: str                                  # reference designator
    pads: tuple[str, ...]
    called: bool                               # the machine reports it
    real: bool                                 # a rule finds it on the true state
    visible: bool                              # False: this machine's light or rays show nothing of it
    severity: float                            # as the machine measured it, in the unit of the taxonomy; NaN where it did not


class Family(Protocol):
    """A product family. Everything is a pure function of its arguments."""

    name: str
    taxonomy: Taxonomy

    def product(self, scene: Any) -> Any:
        """The product of a Scene, prepared once per worker: for SMT an ``Assembly`` with meshes and artwork."""

    def with_insides(self, product: Any) -> Any:
        """The same product with what only X-rays see of it: asked for once, where a recipe wants X-ray pictures."""

    def box(self, product: Any) -> tuple[float, float, float, float]:
        """Extent (x0, y0, x1, y1) of the product in the board frame [m]."""

    def process(self, product: Any, drifts: Mapping[str, float]) -> Any:
        """Healthy process parameters with named drifts applied. Raises RecipeError for an unknown drift."""

    def hosts(self, product: Any, defect: str) -> Sequence[str]:
        """Reference designators that can show this defect; ("",) for the bare board; () where it cannot occur."""

    def condition(self, product: Any, process: Any, target: Target, rng: np.random.Generator) -> Any:
        """Process parameters with a *cause* added that tends to produce the target (a clogged aperture, a worn nozzle)."""

    def simulate(self, product: Any, process: Any, rng: np.random.Generator) -> Any:
        """Run the process: a UnitState. Deterministic in (product, process, rng)."""

    def simulate_units(self, product: Any, process: Any, rngs: Sequence[np.random.Generator]) -> tuple[Any, ...]:
        """What ``simulate`` makes with each stream, bit for bit. A family without a fast path for many units loops."""

    def findings(self, product: Any, state: Any, profile: Any) -> tuple[Finding, ...]:
        """What the acceptance rules say: every defect, and every part that has none."""

    def defects(self, product: Any, states: Sequence[Any], profile: Any = None) -> tuple[tuple[Finding, ...], ...]:
        """The findings of every unit that name a defect, in their order. A family without a fast path loops over ``findings``."""

    def inspect(self, product: Any, state: Any, method: str, instrument: Mapping[str, float],
                rng: np.random.Generator) -> tuple[Call, ...]:
        """What an SPI, AOI or AXI machine ("spi", "aoi", "axi") in this condition reports of a unit, and what it should have."""

    def golden(self, product: Any, state: Any, findings: Sequence[Finding]) -> Any:
        """The same unit state with its defects undone (for golden/test pairs)."""

    def geometry(self, product: Any, state: Any, look: Look) -> Geometry:
        """What there is to see."""

    def heat(self, product: Any, state: Any, mode: Powered | Cooling) -> TemperatureField:
        """How warm everything on the unit is, under power or after the oven."""

    def process_to_dict(self, process: Any) -> dict[str, Any]:
        """JSON-ready; ``process_from_dict`` inverts it exactly (floats included)."""

    def process_from_dict(self, data: Mapping[str, Any]) -> Any: ...


__all__ = ["Call", "Defect", "Family", "Finding", "Target", "Taxonomy"]
