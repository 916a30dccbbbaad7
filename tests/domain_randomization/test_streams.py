"""Streams and ids: a function of seed, index and name, and of nothing else."""
from __future__ import annotations

import hashlib

import numpy as np

from domain_randomization.streams import sample_id, stream, stream_id


def test_a_stream_is_numpys_seed_sequence_spawned_by_index_and_name():
    """The construction is written down in the architecture; anyone can repeat it with numpy alone."""
    number = int.from_bytes(hashlib.sha256(b"lighting").digest()[:4], "big")
    assert stream_id("lighting") == number
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(5, spawn_key=(17, number)))).random(8)
    assert np.array_equal(stream(5, 17, "lighting").random(8), expected)


def test_streams_do_not_share_numbers():
    draws = [tuple(stream(seed, index, name).random(4)) for seed in (0, 1) for index in (0, 1, 2) for name in ("look", "camera")]
    assert len(set(draws)) == len(draws)


def test_sample_ids_differ_by_recipe_and_index():
    ids = [sample_id(digest, index) for digest in ("a" * 64, "b" * 64) for index in range(100)]
    assert len(set(ids)) == 200
    assert ids[0] == hashlib.sha256(b"a" * 64 + b"/0").hexdigest()[:32]
