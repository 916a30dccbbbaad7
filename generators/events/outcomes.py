"""outcomes: what the inspections of a run found, and what was truly there."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes import family
from scenes.line.model import Line, StationFlow

I32 = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Call:
    """One inspection says: here is a defect. It may be wrong."""
    unit: int                                  # row of the run
    station: str                               # id of the station that looked
    defect: str                                # its name in the taxonomy
    component: str                             # reference designator, "R12"; "" on the bare board
    severity: float                            # as measured; NaN where the defect is all or nothing
    real: bool = True                          # False: a false call


@dataclass(frozen=True, slots=True)
class Paste:
    """What the paste inspection measured on one deposit. Offsets are from the centre of the pad."""
    unit: int
    station: str
    pad: str                                   # "R12.1"
    volume: float                              # [m³]
    height: float                              # [m]
    area: float                                # [m²]
    nominal_volume: float                      # [m³]
    nominal_height: float                      # [m]
    nominal_area: float                        # [m²]
    dx: float = 0.0                            # [m]
    dy: float = 0.0                            # [m]
    area_ratio: float = 0.0                    # [1] of the aperture: opening over wall; 0 where not known
    passed: bool = True


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Of a whole run. Order within ``calls`` and ``pastes`` does not matter."""
    calls: tuple[Call, ...] | None = None      # None: nobody knows what inspections said; (): they found nothing at all
    pastes: tuple[Paste, ...] = ()
    defects: I32 | None = None                 # (U,) how many true defects each unit carries at the end; None: not known


def judges(line: Line) -> tuple[StationFlow, ...]:
    """Stations that judge units: SPI the printed paste, AXI and AOI behind an oven the finished joints.

    An AOI before the oven sees parts on wet paste, which no rule of ours is about: it lets units pass without a verdict.
    """
    found, soldered = [], set[str]()
    for station in line.stations:              # feeders come before those they feed
        if station.kind == "reflow" or soldered.intersection(station.after):
            soldered.add(station.station)
        if station.kind in ("spi", "axi") or (station.kind == "aoi" and station.station in soldered):
            found.append(station)
    return tuple(found)


def calls_of(unit: int, station: str, verdicts: Iterable[family.Call]) -> tuple[Call, ...]:
    """What a machine reports of a unit, from the verdicts of ``Family.inspect``; escapes are not reported by anybody."""
    return tuple(Call(unit, station, v.defect, v.host, v.severity, v.real) for v in verdicts if v.called)


__all__ = ["Call", "Outcomes", "Paste", "calls_of", "judges"]
