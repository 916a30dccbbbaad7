"""Small samples without a renderer: random rectangles as parts, one of them defective."""
from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from generators.dataset import meta, shards
from generators.dataset.sample import Frame, Instance, Sample
from generators.dataset.schema import DatasetInfo
from scenes.family import Defect, Taxonomy

COUNT = 10
TAXONOMY = Taxonomy(
    (Defect("shift", "Shifted part", "side overhang", "1", ((0.25, 0.5), (0.5, 0.75), (0.75, 1.0))),
     Defect("missing", "Missing part"),
     Defect("void", "Void", "area", "1", ((0.1, 0.3),), ("rgb",))),
    ("chip_resistor", "soic"))


def info(**changes) -> DatasetInfo:
    return DatasetInfo(**{"name": "synthetic", "recipe_digest": "ab" * 32, "taxonomy": TAXONOMY, "shard_size": 4,
                          "renderer": "none", "renderer_build": "none 1", "scene": "bench", "board": "toy", **changes})


def sample(index: int, *, height: int = 48, width: int = 64, seed: int = 0, split: str | None = None) -> Sample:
    """One frame of five parts on a noisy board; part 0 is shifted, part 1 hides a void."""
    rng = np.random.default_rng([seed, index])
    ids = np.ones((height, width), np.uint32)
    rgb = np.tile(np.array([20, 90, 40], np.uint8), (height, width, 1))
    masks = []
    for part in range(5):
        y, x = int(rng.integers(0, height - 12)), int(rng.integers(0, width - 12))
        ids[y:y + 10, x:x + 8] = 2 + part
        rgb[y:y + 10, x:x + 8] = rng.integers(0, 255, 3)
        full = np.zeros((height, width), np.bool_)
        full[y:y + 10, x:x + 8] = True
        masks.append(full)
    rgb = (rgb + rng.integers(0, 6, rgb.shape)).clip(0, 255).astype(np.uint8)
    found = []
    for part, full in enumerate(masks):
        visible = ids == 2 + part
        if part == 0:
            found.append(Instance(0, "shift", "shift", "R0", ("1",), float(rng.uniform(0.25, 1.0)), "1", visible, full,
                                  not visible.any(), "7.5.2", {"overhang": 1e-4, "width": float("inf")}, (2,)))
        elif part == 1:
            none = np.zeros_like(full)
            found.append(Instance(0, "void", "void", "U1", (), 0.2, "1", none, full, True, "void", {"area": 0.2}, (3,)))
        elif visible.any():
            found.append(Instance(0, "chip_resistor", "", f"R{part}", (), float("nan"), "", visible, visible, False,
                                  ids=(2 + part,)))
    depth = np.where(ids > 1, np.float32(0.199), np.float32(0.2))
    depth[0, 0] = np.inf
    normal = np.zeros((height, width, 3), np.float32)
    normal[..., 2] = 1.0
    frame = Frame("top", "Site/Area/Line 1/aoi", {"rgb": rgb},
                  {"instance": ids, "part": np.where(ids > 1, 3, 1).astype(np.uint16), "depth": depth, "normal": normal},
                  {"model": "telecentric", "pixel_size": 2e-5, "pose": [1.0] * 16, "width": width, "height": height})
    name = hashlib.sha256(f"{seed}/{index}".encode()).hexdigest()[:32]
    return Sample(name, index, f"unit-{index:05d}", split or ("train", "train", "val", "test")[index % 4], index * 10**9,
                  (frame,), tuple(found), {"lamp": {"flux": float(rng.uniform(0.5, 1.0))}, "seed": seed},
                  ({"channel": "zone1", "unit": "K", "sample_rate": 1.0, "start_ns": 0,
                    "values": np.arange(4, dtype=np.float32)},),
                  ({"time_ns": 0, "source": "reflow", "text": "profile ok"},))


def write(root: Path, count: int = COUNT, **changes) -> Path:
    """A finished dataset of ``count`` synthetic samples."""
    made = info(**changes)
    meta.write_identity(root, made, {"recipe.yaml": "seed: 0\n", "scene.yaml": "name: bench\n"})
    for shard in meta.missing(root, made, count):
        first = shard * made.shard_size
        rows = (sample(i) for i in range(first, min(first + made.shard_size, count)))
        shards.write_shard(root, shard, rows, made)
    meta.write_summary(root, made, count, asked=[{"defect": "shift", "count": 2}, {"defect": "void", "count": 1, "low": 0.1}])
    return root
