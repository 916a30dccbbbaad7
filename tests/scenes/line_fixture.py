"""Small lines for tests of the flow."""
from __future__ import annotations

from typing import Any

import numpy as np

from scenes.line.model import Line, Run, StationFlow

PATH = "Test/Area/Line 1"


def station(name: str, kind: str, after: str | tuple[str, ...], cycle: float, **more: Any) -> StationFlow:
    feeders = (after,) if isinstance(after, str) and after else tuple(after)
    return StationFlow(name, kind, f"{PATH}/{name}", feeders, cycle, **more)


def line(*stations: StationFlow, takt: float = 10.0, **more: Any) -> Line:
    return Line(more.pop("path", PATH), takt, stations, **more)


def events(run: Run, kind: str, name: str = "") -> list[Any]:
    return [e for e in run.events if e.kind == kind and name in ("", e.station)]


def same(a: Run, b: Run) -> bool:
    names = ("arrive", "start", "finish", "leave", "since_wipe")
    return all(np.array_equal(getattr(a, k), getattr(b, k), equal_nan=True) for k in names)
