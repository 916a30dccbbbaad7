"""Where every random number comes from: one generator per (recipe seed, sample index, stream name).

No stream is shared, so adding a randomizer or changing one leaves the draws of all others as they were.
"""
from __future__ import annotations

import hashlib

import numpy as np


def stream_id(name: str) -> int:
    """The integer of a stream: the first four bytes, big-endian, of the SHA-256 of its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def stream(seed: int, index: int, name: str) -> np.random.Generator:
    """The generator (PCG64) of one named stream of one sample."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index, stream_id(name)))))


def sample_id(digest: str, index: int) -> str:
    """32 hex digits that name a sample: SHA-256 over the recipe's content digest and the index."""
    return hashlib.sha256(f"{digest}/{index}".encode()).hexdigest()[:32]


__all__ = ["sample_id", "stream", "stream_id"]
