"""surface: loose solder balls, flux residue and scratches."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.smt.draws import normals, uniforms
from scenes.smt.oven import Thermal
from scenes.smt.process import Process
from scenes.smt.state import Assembly, Balls, Residues, Scratches

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
T = TypeVar("T", Balls, Residues, Scratches)

MOST = 40                                      # of a kind that one unit carries by chance
RAMP = (2.87, 0.25)                            # [K/s] healthy greatest ramp; more by this multiplies the balls by e
MOISTURE_BALLS = 20.0                          # [1] more balls with moisture 1


@dataclass(frozen=True, eq=False)
class Surface:
    balls: Balls
    residues: Residues
    scratches: Scratches


def near_joints(assembly: Assembly, u: F64) -> F64:
    """Points (n, 2) just beside lands, from uniforms (n, 3): which joint, which way, how far."""
    rows = assembly.joints
    if not len(rows):
        x0, y0, x1, y1 = assembly.board.outline.bounds
        spread: F64 = np.column_stack([x0 + (x1 - x0) * u[:, 0], y0 + (y1 - y0) * u[:, 1]])
        return spread
    joint, turn = (u[:, 0] * len(rows)).astype(np.intp), 2 * np.pi * u[:, 1]
    away = np.hypot(*rows.land_size[joint].T) / 2 + 0.1e-3 + 0.7e-3 * u[:, 2]
    at: F64 = rows.land_center[joint] + away[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    return at


def film_seed(x: float, y: float) -> int:
    """The outline's seed of a film that a fault puts at this place [m]: places that differ by a micrometre look different."""
    return (round(x * 1e9) * 2654435761 + round(y * 1e9)) % 2**32


def handled(assembly: Assembly, process: Process, thermal: Thermal, rngs: Sequence[np.random.Generator]) -> tuple[Surface, ...]:
    """What is left on the surface of N units. By chance next to joints, and wherever a fault says. Draws: a fixed number each,
    but for the last ones, which only films want.

    Balls: Poisson with the handling's rate, times e per 0.25 K/s of ramp above 2.87, times 1 + 20 · moisture; diameters
    log-normal. Points that fall off the laminate are dropped.
    """
    handling = process.handling
    count, u, z = uniforms(rngs, 3), uniforms(rngs, 3, MOST, 6), normals(rngs, 3, MOST)
    hot = min(float(np.exp(max(thermal.ramp - RAMP[0], 0) / RAMP[1])), 1e3) * (1 + MOISTURE_BALLS * process.oven.moisture)
    rates = handling.ball_rate * hot, handling.residue_rate, handling.scratch_rate
    number = np.array([[min(_poisson(rate, c), MOST) for rate, c in zip(rates, own, strict=True)] for own in count.tolist()])
    seeds = np.zeros((len(rngs), MOST), np.uint32)
    for n in np.flatnonzero(number[:, 1]).tolist():
        seeds[n] = rngs[n].integers(0, 2**32, MOST, dtype=np.uint32)
    there = np.arange(MOST) < number[:, :, None]                          # (N, 3, MOST) the draws that are used
    balls, films, grooves = (there[:, kind] for kind in range(3))
    return tuple(map(Surface, _balls(assembly, process, hot, balls, u[:, 0], z[:, 0]),
                     _residues(assembly, process, films, u[:, 1], z[:, 1], seeds),
                     _scratches(assembly, process, grooves, u[:, 2])))


def _each(common: T, there: Bool, *by_chance: NDArray[Any]) -> list[T]:
    """What every unit has: its rows of ``by_chance``, in the order of ``there`` (N, MOST), then what all have by a fault."""
    by_fault = [getattr(common, f.name) for f in fields(common)]
    ends: list[int] = np.cumsum(np.count_nonzero(there, axis=1)).tolist()
    return [type(common)(*(np.concatenate([own[a:b], shared]) for own, shared in zip(by_chance, by_fault, strict=True)))
            if b > a else common for a, b in pairwise([0, *ends])]


def _on_board(assembly: Assembly, there: Bool, u: F64) -> tuple[Bool, F64]:
    """Which of the points beside lands lie on the laminate, (N, MOST), and where those are, (n, 2)."""
    at = near_joints(assembly, u[there])
    on = shapely.contains_xy(assembly.board.outline, at)
    kept = there.copy()
    kept[there] = on
    return kept, at[on]


def _balls(assembly: Assembly, process: Process, hot: float, there: Bool, u: F64, z: F64) -> list[Balls]:
    """Loose balls. ``there``, ``z``: (N, MOST). ``u``: (N, MOST, 6). ``hot``: how many times more than from a healthy oven."""
    splash = np.array([f.values for f in process.of("splash")], np.float64).reshape(-1, 3)
    splashed = Balls(splash[:, :2], splash[:, 2])
    if not there.any():
        return [splashed] * len(there)
    there, at = _on_board(assembly, there, u)
    diameter = np.clip(process.handling.ball_diameter * min(hot, 3.0)**0.3 * np.exp(0.25 * z[there]), 20e-6, 300e-6)
    return _each(splashed, there, at, diameter)


def _residues(assembly: Assembly, process: Process, there: Bool, u: F64, z: F64, seeds: NDArray[np.uint32]) -> list[Residues]:
    """Films. Shapes as for ``_balls``; ``seeds``: (N, MOST)."""
    dirt = [f.values for f in process.of("contamination")]
    extra = np.array(dirt, np.float64).reshape(-1, 7)
    dirty = Residues(extra[:, :2], extra[:, 2:4], extra[:, 4], extra[:, 5], extra[:, 6],
                     np.array([film_seed(d[0], d[1]) for d in dirt], np.uint32))
    if not there.any():
        return [dirty] * len(there)
    there, at = _on_board(assembly, there, u)
    u, z = u[there], z[there]
    thickness, stain = np.clip(1.5e-6 * np.exp(0.4 * z), 1e-6, 5e-6), np.clip(0.04 + 0.01 * z, 0.02, 0.08)
    return _each(dirty, there, at, 0.1e-3 + 0.3e-3 * u[:, 3:5], np.pi * u[:, 5], thickness, stain, seeds[there])


def _scratches(assembly: Assembly, process: Process, there: Bool, u: F64) -> list[Scratches]:
    """Grooves, wherever on the board. Shapes as for ``_balls``."""
    groove = np.array([f.values for f in process.of("handling_scratch")], np.float64).reshape(-1, 7)
    scratched = Scratches(groove[:, :2], groove[:, 2:4], groove[:, 4], groove[:, 5], groove[:, 6])
    if not there.any():
        return [scratched] * len(there)
    u = u[there]
    x0, y0, x1, y1 = assembly.board.outline.bounds
    start = np.column_stack([x0 + (x1 - x0) * u[:, 0], y0 + (y1 - y0) * u[:, 1]])
    length, turn = 0.1e-3 + 0.3e-3 * u[:, 2], 2 * np.pi * u[:, 3]
    end = start + length[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    return _each(scratched, there, start, end, np.zeros(len(u)), np.full(len(u), 8e-6), np.full(len(u), 1e-6))


def _poisson(rate: float, u: float) -> int:
    """Poisson count by inversion of one uniform, so that the number of draws never changes; capped at 3 · MOST."""
    k, p = 0, float(np.exp(-min(rate, 100.0)))
    total = p
    while u > total and k < 3 * MOST:
        k += 1
        p *= min(rate, 100.0) / k
        total += p
    return k


__all__ = ["MOST", "Surface", "film_seed", "handled", "near_joints"]
