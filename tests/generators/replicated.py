"""A dataset whose every label is known, for exports and imports: two findings that overlap, one hidden, two cameras on demand."""
from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from generators.dataset import meta, shards
from generators.dataset.sample import Frame, Instance, Sample
from generators.dataset.schema import DatasetInfo
from scenes.family import Defect, Taxonomy
from scenes.optics import Camera

COUNT, HEIGHT, WIDTH = 6, 40, 56
TAXONOMY = Taxonomy((Defect("shift", "Shifted part", "overhang", "1", ((0.25, 1.0),)), Defect("tombstone", "Tombstone"),
                     Defect("void", "Void", hidden_from=("rgb",))), ("chip_resistor", "soic"))
NAN = float("nan")


def block(y: int, x: int, h: int, w: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y:y + h, x:x + w] = True
    return mask


def camera(index: int, name: str = "top", model: str = "telecentric") -> Camera:
    """A camera that looks down, turned a little and moved from sample to sample."""
    angle = 0.02 * index
    c, s = np.cos(angle), np.sin(angle)
    pose = np.array([[c, -s, 0, 0.01 + 1e-4 * index], [s, c, 0, 0.02], [0, 0, 1, 0.2], [0, 0, 0, 1.0]])
    return Camera(name, WIDTH, HEIGHT, 4e-5, pose, 0.2, model)


def frame(index: int, name: str, golden: bool = False, tile: int = 0, model: str = "telecentric") -> Frame:
    rng = np.random.default_rng([7, index])
    rgb = rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    if not golden:
        rgb[8:16, 4:14] = 250 - 5 * index
    looking = camera(index, name, model)
    depth = rng.uniform(0.19, 0.2, (HEIGHT, WIDTH)).astype(np.float32)
    depth[0, :3] = np.inf
    view = {"model": model, "pixel_size": looking.pixel_size, "distance": 0.2, "width": WIDTH, "height": HEIGHT, "tile": tile,
            "pose": looking.pose.ravel().tolist()}
    return Frame("golden" if golden else name, "Site 1/Area/Line 1/aoi", {"rgb": rgb}, {"depth": depth}, view)


def items(number: int, index: int, golden: bool = False) -> tuple[Instance, ...]:
    """R1 is shifted and stands up, both with pixels of their own and 15 in common; R2 is half hidden; U1 hides a void."""
    if golden:
        masks = {"R1": block(8, 4, 8, 10), "R2": block(22, 20, 6, 12), "U1": block(24, 40, 10, 16)}
        return tuple(Instance(number, "soic" if name == "U1" else "chip_resistor", "", name, (), NAN, "", mask, mask, False)
                     for name, mask in masks.items())
    shifted, standing = block(8, 4 + index, 5, 8), block(10, 9 + index, 5, 8)
    none = np.zeros((HEIGHT, WIDTH), bool)
    return (Instance(number, "shift", "shift", "R1", ("1",), 0.4, "1", shifted, shifted, False, "7.5", {"overhang": 1e-4}, (2,)),
            Instance(number, "tombstone", "tombstone", "R1", (), NAN, "", standing, standing, False, "7.6", ids=(2,)),
            Instance(number, "chip_resistor", "", "R2", (), NAN, "", block(22, 20, 3, 12), block(22, 20, 6, 12), False, ids=(3,)),
            Instance(number, "void", "void", "U1", ("3",), NAN, "", none, block(26, 44, 2, 2), True, "void", ids=(4,)),
            Instance(number, "soic", "", "U1", (), NAN, "", block(24, 40, 10, 16), block(24, 40, 10, 16), False, ids=(4,)))


def sample(index: int, *, cameras: tuple[str, ...] = ("top",), golden: bool = False, model: str = "telecentric") -> Sample:
    frames = [frame(index, name, tile=0, model=model) for name in cameras]
    found = [i for n in range(len(cameras)) for i in items(n, index)]
    if golden:
        found += items(len(frames), index, golden=True)
        frames.append(frame(index, cameras[0], golden=True, model=model))
    name = hashlib.sha256(f"replicated/{index}".encode()).hexdigest()[:32]
    return Sample(name, index, f"unit-{index}", ("train", "val", "train", "test")[index % 4], index, tuple(frames), tuple(found),
                  {"lamp": 0.1 * index})


def info(**changes: object) -> DatasetInfo:
    return DatasetInfo(**{"name": "known", "recipe_digest": "cd" * 32, "taxonomy": TAXONOMY, "shard_size": 4, "renderer": "none",
                          "renderer_build": "none 1", "scene": "bench", "board": "toy", **changes})


def write(root: Path, **options: object) -> Path:
    made = info()
    meta.write_identity(root, made, {})
    for shard in range(-(-COUNT // made.shard_size)):
        numbers = range(shard * made.shard_size, min((shard + 1) * made.shard_size, COUNT))
        shards.write_shard(root, shard, (sample(i, **options) for i in numbers), made)
    meta.write_summary(root, made, COUNT)
    return root


def tree(root: Path) -> dict[str, str]:
    """Every file under a folder with the SHA-256 of its bytes."""
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(root.rglob("*")) if p.is_file()}
