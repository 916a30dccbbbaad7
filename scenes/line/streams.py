"""streams: random numbers by name, so that a new drift or station leaves every other draw as it was."""
from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Sampler = Callable[[np.random.Generator, int], F64]
"""Draws n values, shape (n,)."""


def stream(root: int, *names: str) -> np.random.Generator:
    """The generator of this name under a root seed. The name is the spawn key, so names do not depend on each other."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    key = tuple(int.from_bytes(digest[i:i + 4], "little") for i in range(0, 16, 4))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(root, spawn_key=key)))


def draws(sample: Sampler, rng: np.random.Generator, block: int = 1024) -> Iterator[float]:
    """Endless single values, drawn in blocks because single draws are slow."""
    while True:
        yield from sample(rng, block).tolist()


def constant(value: float) -> Iterator[float]:
    """The same value for ever."""
    return repeat(value)


def exponential(mean: float) -> Sampler:
    """Exponential with this mean [s]."""
    return lambda rng, n: rng.exponential(mean, n)


def gamma(mean: float, std: float) -> Sampler:
    """Gamma with this mean and standard deviation [s], both > 0: never negative, exponential where the two are equal."""
    shape = (mean / std) ** 2
    return lambda rng, n: rng.gamma(shape, mean / shape, n)


def log_normal(mean: float, variation: float) -> Sampler:
    """Log-normal with this mean [s] and coefficient of variation, the usual law of repair times (MIL-HDBK-472)."""
    sigma = float(np.sqrt(np.log1p(variation**2)))
    return lambda rng, n: mean * np.exp(sigma * rng.standard_normal(n) - sigma**2 / 2)


__all__ = ["Sampler", "constant", "draws", "exponential", "gamma", "log_normal", "stream"]
