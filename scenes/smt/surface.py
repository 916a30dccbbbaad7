"""surface: loose solder balls, flux residue and scratches."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from scenes.smt.oven import Thermal
from scenes.smt.process import Process
from scenes.smt.state import Assembly, Balls, Residues, Scratches

F64 = NDArray[np.float64]

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


def handled(assembly: Assembly, process: Process, thermal: Thermal, rng: np.random.Generator) -> Surface:
    """What is left on the surface. By chance next to joints, and wherever a fault says. Draws: a fixed number.

    Balls: Poisson with the handling's rate, times e per 0.25 K/s of ramp above 2.87, times 1 + 20 · moisture; diameters
    log-normal. Points that fall off the laminate are dropped.
    """
    handling, outline = process.handling, assembly.board.outline
    count, u, z = rng.random(3), rng.random((3, MOST, 6)), rng.standard_normal((3, MOST))
    seeds = rng.integers(0, 2**32, MOST, dtype=np.uint32)
    hot = min(float(np.exp(max(thermal.ramp - RAMP[0], 0) / RAMP[1])), 1e3) * (1 + MOISTURE_BALLS * process.oven.moisture)
    number = [min(_poisson(rate, c), MOST) for rate, c in
              zip((handling.ball_rate * hot, handling.residue_rate, handling.scratch_rate), count, strict=True)]

    at = near_joints(assembly, u[0, :number[0]])
    diameter = np.clip(handling.ball_diameter * min(hot, 3.0)**0.3 * np.exp(0.25 * z[0, :number[0]]), 20e-6, 300e-6)
    on = shapely.contains_xy(outline, at)
    splash = np.array([f.values for f in process.of("splash")], np.float64).reshape(-1, 3)
    balls = Balls(np.concatenate([at[on], splash[:, :2]]), np.concatenate([diameter[on], splash[:, 2]]))

    n = number[1]
    at = near_joints(assembly, u[1, :n])
    on = shapely.contains_xy(outline, at)
    axes = 0.1e-3 + 0.3e-3 * u[1, :n, 3:5]
    dirt = [f.values for f in process.of("contamination")]
    extra = np.array(dirt, np.float64).reshape(-1, 7)
    seed = [film_seed(d[0], d[1]) for d in dirt]
    residues = Residues(
        np.concatenate([at[on], extra[:, :2]]), np.concatenate([axes[on], extra[:, 2:4]]),
        np.concatenate([np.pi * u[1, :n, 5][on], extra[:, 4]]),
        np.concatenate([np.clip(1.5e-6 * np.exp(0.4 * z[1, :n]), 1e-6, 5e-6)[on], extra[:, 5]]),
        np.concatenate([np.clip(0.04 + 0.01 * z[1, :n], 0.02, 0.08)[on], extra[:, 6]]),
        np.concatenate([seeds[:n][on], np.array(seed, np.uint32)]))

    n = number[2]
    x0, y0, x1, y1 = outline.bounds
    start = np.column_stack([x0 + (x1 - x0) * u[2, :n, 0], y0 + (y1 - y0) * u[2, :n, 1]])
    length, turn = 0.1e-3 + 0.3e-3 * u[2, :n, 2], 2 * np.pi * u[2, :n, 3]
    groove = np.array([f.values for f in process.of("handling_scratch")], np.float64).reshape(-1, 7)
    scratches = Scratches(
        np.concatenate([start, groove[:, :2]]),
        np.concatenate([start + length[:, None] * np.column_stack([np.cos(turn), np.sin(turn)]), groove[:, 2:4]]),
        np.concatenate([np.zeros(n), groove[:, 4]]), np.concatenate([np.full(n, 8e-6), groove[:, 5]]),
        np.concatenate([np.full(n, 1e-6), groove[:, 6]]))
    return Surface(balls, residues, scratches)


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
