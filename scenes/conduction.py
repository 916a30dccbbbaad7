"""conduction: heat in a thin plate that carries lumped parts, as a network of conductances. SciPy's sparse LU solves it.

A plate thin enough to have one temperature through its thickness t (Biot number h·t/k ≪ 1) obeys

    ρ c t ∂T/∂t = ∇·(k t ∇T) + q″ − h (T − T_air)        [W/m²], h summed over both faces

which finite volumes turn into nodes joined by conductances; parts are further nodes of the same network. Every
temperature in here is the excess over the air, θ = T − T_air [K], so that the air needs no node. Edges between
neighbouring cells take the conductance of two half cells in series, which keeps the flux continuous where k jumps.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, SuperLU, cg, splu

from scenes.errors import InputError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_RESIDUAL, _STEPS_MOST = 1e-12, 30              # of conjugate gradients: relative residual; steps that cost a factorisation
_GAMMA = 1 - np.sqrt(0.5)                      # Alexander's two-stage, second-order, L-stable implicit Runge–Kutta method


@dataclass(frozen=True, eq=False)
class Network:
    """n nodes, E conductances between them, and what every node loses to the air. θ = T − T_air."""
    first: I64                                 # (E,)
    second: I64                                # (E,)
    conductance: F64                           # (E,) [W/K] ≥ 0
    loss: F64                                  # (n,) [W/K] to the air
    capacity: F64                              # (n,) [J/K]

    def matrix(self) -> sparse.csc_matrix:
        """Heat that leaves each node per kelvin, (n, n), symmetric and positive definite where every part loses heat."""
        count, g = len(self.loss), self.conductance
        diagonal = (self.loss + np.bincount(self.first, g, count) + np.bincount(self.second, g, count))
        node = np.arange(count)
        return sparse.coo_matrix(
            (np.concatenate([diagonal, -g, -g]),
             (np.concatenate([node, self.first, self.second]), np.concatenate([node, self.second, self.first]))),
            shape=(count, count)).tocsc()


def cells(solid: Bool, sheet: F64) -> tuple[I64, I64, I64, F64]:
    """A plate of square cells as a network.

    Args:
        solid: (rows, columns), where there is plate.
        sheet: (rows, columns) conductivity times thickness [W/K].

    Returns:
        number (rows, columns): node of each cell, −1 where there is none; first, second, conductance: (E,) edges [W/K].
    """
    number = np.where(solid, np.cumsum(solid.ravel()).reshape(solid.shape) - 1, -1).astype(np.int64)
    ends, values = [], []
    for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        both = solid[a] & solid[b]
        k1, k2 = sheet[a][both], sheet[b][both]
        ends.append((number[a][both], number[b][both]))
        values.append(2 * k1 * k2 / (k1 + k2))
    return number, np.concatenate([e[0] for e in ends]), np.concatenate([e[1] for e in ends]), np.concatenate(values)


def _factor(matrix: sparse.csc_matrix) -> SuperLU:
    """LU of a symmetric, diagonally dominant matrix: no pivoting is needed, so the ordering is the symmetric one."""
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def factor(network: Network) -> SuperLU:
    """LU of a network's steady state, for ``steady`` of networks like it."""
    return _factor(network.matrix())


def steady(network: Network, source: F64, near: SuperLU | None = None) -> F64:
    """θ (n,) with heat flowing in at ``source`` [W], (n,).

    Args:
        near: Factor of a network with the same nodes and not very different conductances. With it the answer comes from
            conjugate gradients, preconditioned by it, to 1e-12 of the source: some ten steps (5 to 27 in 120 units of
            two boards), less than half of a factorisation's time. Where that does not get there, and without it, the network
            is factorised.

    Raises:
        InputError: no node loses heat to the air.
    """
    if not network.loss.any():
        raise InputError("steady heat: nothing loses heat to the air; give a film coefficient above 0")
    matrix = network.matrix()
    if near is not None:
        theta, left = cg(matrix, source, rtol=_RESIDUAL, maxiter=_STEPS_MOST, M=LinearOperator(matrix.shape, matvec=near.solve))
        if left == 0:
            return np.asarray(theta, np.float64)
    return np.asarray(_factor(matrix).solve(source), np.float64)


def transient(network: Network, start: F64, source: F64, duration: float, steps: int) -> F64:
    """θ (n,) after ``duration`` [s] from θ = ``start`` (n,) under a constant source [W], in ``steps`` equal steps.

    Second order and L-stable: modes much faster than a step settle instead of ringing. One factorisation, two solves a step.
    """
    if duration <= 0:
        return start.copy()
    dt = duration / steps
    matrix = network.matrix()
    factor = _factor((matrix * (_GAMMA * dt) + sparse.diags(network.capacity)).tocsc())
    theta = start.copy()
    for _ in range(steps):
        one = factor.solve(source - matrix @ theta)
        two = factor.solve(source - matrix @ (theta + dt * (1 - _GAMMA) * one))
        theta += dt * ((1 - _GAMMA) * one + _GAMMA * two)
    return theta


__all__ = ["Network", "cells", "factor", "steady", "transient"]
