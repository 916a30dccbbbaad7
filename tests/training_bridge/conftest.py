"""A toy line: a board of rectangles whose labels are exact by construction. No renderer, no physics, no files."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from generators.dataset.meta import write_identity, write_summary
from generators.dataset.rows import Row
from generators.dataset.sample import Frame, Instance, Sample
from generators.dataset.schema import DatasetInfo, row
from generators.dataset.shards import write_shard
from scenes.family import Defect, Taxonomy
from scenes.optics import looking_down
from training_bridge.layout import homography

PIXEL = 50e-6                                  # [m]
WIDTH, HEIGHT = 320, 240                       # [px]
TAXONOMY = Taxonomy((Defect("missing", "Missing"), Defect("shift", "Shift", "offset", "m"), Defect("ball", "Ball"),
                     Defect("void", "Void", hidden_from=("rgb",))), ("chip",))
SCENE = """linetwin: 1
name: toy
product: {board: toy.kicad_pcb}
stations:
  - {id: aoi, camera: {pixel_um: 50}, lighting: {dome: [1, 1, 1]}}
"""
PARTS = {f"R{k}": (1.6e-3 + 2.2e-3 * (k % 6), 1.5e-3 + 2.2e-3 * (k // 6), 1.4e-3, 0.8e-3) for k in range(24)}
PARTS["U1"] = (8.0e-3, 10.4e-3, 8.0e-3, 2.0e-3)                                # x, y of the centre, width, height [m]


def draw(index: int, defects: list[tuple[str, str]], seed: int = 0, split: str = "train") -> Sample:
    """One unit with these (defect, part) pairs, under its own light, seen by a slightly moved camera."""
    rng = np.random.default_rng((seed, index))
    camera = looking_down("top", (8e-3 + rng.normal(0, 40e-6), 6e-3 + rng.normal(0, 40e-6)), PIXEL, WIDTH, HEIGHT,
                          roll=float(rng.normal(0, 0.003)))
    view = {"model": camera.model, "pixel_size": PIXEL, "distance": camera.distance, "width": WIDTH, "height": HEIGHT,
            "pose": camera.pose.ravel().tolist()}
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    flat = np.linalg.inv(homography(view)) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    bx, by = (flat[:2] / flat[2]).reshape(2, HEIGHT, WIDTH)
    board = np.random.default_rng(5).normal(0, 12, (40, 40))                   # the artwork: the same on every unit
    texture = board[(by * 2500).astype(int) % 40, (bx * 2500).astype(int) % 40]
    image = np.stack([30 + texture, 110 + texture, 50 + texture], axis=-1)
    instances = []

    def inside(cx: float, cy: float, w: float, h: float) -> Any:
        return (np.abs(bx - cx) < w / 2) & (np.abs(by - cy) < h / 2)

    def label(category: str, defect: str, part: str, mask: Any, severity: float = float("nan"), hidden: bool = False) -> None:
        instances.append(Instance(0, category, defect, part, (), severity, "m" if severity == severity else "",
                                  mask & (not hidden), mask, hidden))

    for name, (cx, cy, w, h) in PARTS.items():
        mine = [d for d, p in defects if p == name]
        dx, dy = rng.normal(0, 25e-6, 2)
        if "shift" in mine:
            dx += 0.35e-3
        mask = inside(cx + dx, cy + dy, w, h)
        if "missing" in mine:
            image[inside(cx - w / 3, cy, w / 4, h) | inside(cx + w / 3, cy, w / 4, h)] = (190, 170, 90)
        else:
            image[mask] = (40, 38, 36)
            image[inside(cx + dx, cy + dy, w * 0.7, h * 0.3)] = (200, 200, 200)
        for defect in mine:
            label(defect, defect, name, mask, 0.35e-3 if defect == "shift" else float("nan"), hidden=defect == "void")
        if not mine:
            label("chip", "", name, mask)
    for defect, part in defects:
        if defect == "ball" and not part:
            cx, cy = rng.uniform(1e-3, 15e-3), float(rng.choice([0.4e-3, 11.7e-3]))
            mask = (bx - cx) ** 2 + (by - cy) ** 2 < (0.2e-3) ** 2
            image[mask] = (235, 235, 240)
            label("ball", "ball", "", mask)
    image = image * rng.uniform(0.8, 1.15) * rng.normal(1, 0.03, 3) + rng.normal(0, 3) + rng.normal(0, 2, image.shape)
    rgb = np.clip(image, 0, 255).astype(np.uint8)
    return Sample(f"{seed:08x}{index:08x}", index, f"U{index}", split, 0, (Frame("top", "Line/aoi", {"rgb": rgb}, {}, view),),
                  tuple(instances), {})


@dataclass
class ToyDataset:
    """As much of ``generators.dataset.Dataset`` as the training bridge reads."""
    samples: list[Sample]
    path: Path = Path("toy")
    info: Any = field(default_factory=lambda: SimpleNamespace(scene_digest="scene", recipe_digest="recipe"))
    taxonomy: Taxonomy = TAXONOMY

    def __post_init__(self) -> None:
        info = DatasetInfo("toy", "recipe", TAXONOMY, 8)
        self._rows = [Row(row(s, info), f"toy row {k}") for k, s in enumerate(self.samples)]

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self, columns: Any = None, *, split: str | None = None) -> Any:
        return (r for r in self._rows if split is None or r.split == split)


def line(count: int, seed: int, defective: float = 0.5,
         splits: tuple[str, ...] = ("train", "train", "train", "val")) -> list[Sample]:
    """A stream of toy units; about a tenth of the defective ones have nothing but a hidden void."""
    rng = np.random.default_rng(seed)
    samples = []
    for index in range(count):
        defects = []
        if rng.random() < defective:
            kind = rng.choice(["missing", "shift", "ball", "void"], p=[0.3, 0.3, 0.3, 0.1])
            defects.append((str(kind), "" if kind == "ball" else str(rng.choice(list(PARTS)))))
        samples.append(draw(index, defects, seed, splits[index % len(splits)]))
    return samples


def write(root: Path, samples: list[Sample], seed: int) -> Path:
    """The same units as a dataset folder, written as the generator writes one."""
    info = DatasetInfo("toy", f"recipe {seed}", TAXONOMY, 16, scene="toy", scene_digest="scene", product_digest="product",
                       board="toy", renderer_build="toy 1")
    recipe = f"linetwin: 1\nscene: scene.yaml\nseed: {seed}\ncount: {len(samples)}\n"
    write_identity(root, info, {"recipe.yaml": recipe, "scene.yaml": SCENE})
    for shard in range(-(-len(samples) // 16)):
        write_shard(root, shard, samples[16 * shard:16 * shard + 16], info)
    write_summary(root, info, len(samples))
    return root


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("toy") / "dataset", line(72, 1), 1)


@pytest.fixture(scope="session")
def fresh_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("fresh") / "units", line(60, 2, splits=("test",)), 2)


@pytest.fixture(scope="session")
def toy() -> ToyDataset:
    """Seventy-two training and validation units."""
    return ToyDataset(line(72, 1))


@pytest.fixture(scope="session")
def fresh() -> ToyDataset:
    """Sixty units of another seed."""
    return ToyDataset(line(60, 2, splits=("test",)))
