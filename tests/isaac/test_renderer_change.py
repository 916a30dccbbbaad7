"""A run whose renderer failed goes on with another, as long as nothing was committed. Needs no wheels."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from generators.dataset import meta
from generators.dataset.sample import Frame, Sample
from generators.dataset.schema import DatasetInfo
from generators.dataset.shards import write_shard
from scenes.errors import ResumeError
from scenes.family import Taxonomy

ISAAC = DatasetInfo(name="toy", recipe_digest="ab" * 32, taxonomy=Taxonomy((), ("chip",)), shard_size=1, renderer="isaac",
                    renderer_build="isaacsim 6.2.0.0 RealTimePathTracing", scene="bench", board="toy")
GL = replace(ISAAC, renderer="gl", renderer_build="llvmpipe")


def sample() -> Sample:
    frame = Frame("top", "aoi", {"rgb": np.zeros((4, 4, 3), np.uint8)}, {}, {"width": 4, "height": 4})
    return Sample("00" * 16, 0, "unit", "train", 0, (frame,), (), {})


def test_a_folder_without_shards_takes_another_renderer(tmp_path):
    meta.write_identity(tmp_path, ISAAC, {})
    meta.write_identity(tmp_path, GL, {})
    held = meta.read_info(tmp_path)
    assert (held.renderer, held.renderer_build) == ("gl", "llvmpipe")
    with pytest.raises(ResumeError, match="was made from recipe"):         # but no other recipe
        meta.write_identity(tmp_path, replace(GL, recipe_digest="cd" * 32), {})


def test_committed_shards_keep_their_renderer(tmp_path):
    meta.write_identity(tmp_path, ISAAC, {})
    write_shard(tmp_path, 0, iter([sample()]), ISAAC)
    with pytest.raises(ResumeError, match="renderer 'isaac', this run has 'gl'"):
        meta.write_identity(tmp_path, GL, {})
    assert meta.read_info(tmp_path).renderer == "isaac"
    assert meta.missing(tmp_path, ISAAC, 1) == []
