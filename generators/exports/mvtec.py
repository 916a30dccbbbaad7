"""The MVTec anomaly detection layout, exactly, with a configuration for anomalib's Folder and MVTecAD readers beside it.

    <category>/train/good/000.png
    <category>/test/good/000.png
    <category>/test/<defect>/000.png
    <category>/ground_truth/<defect>/000_mask.png        0 or 255, the union of the visible defect masks

Training pictures are good by definition: defective frames of the train split are left out and counted, as are frames
whose only defects are hidden from the camera. Frames that show several kinds of defect are ``combined``, as in MVTec AD.
"""
from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml
from numpy.typing import NDArray

from generators.dataset.schema import bug
from generators.encoding import png_encode
from generators.exports import ExportReport, frames, write_bytes
from generators.masks import rle_crop

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset
    from generators.dataset.rows import Labelled

COMBINED = "combined"


def export(dataset: Dataset, out: Path, *, split: str | None = None, category: str = "") -> ExportReport:
    """Write the MVTec tree.

    Args:
        dataset: What to export. The train split becomes train/good; val and test become test.
        out: The folder to fill, there and empty.
        split: Only this split.
        category: Name of the object's folder; the board's name by default.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", category or dataset.info.board or dataset.info.name).strip("_") or "board"
    root = out / name
    counts: dict[str, int] = {}
    left_out = {"defective frames of the train split": 0, "frames whose defects are all hidden": 0}
    samples: set[str] = set()
    instances = 0
    for row, number, _, items in frames(dataset, split):
        defects = [i for i in items if i.defect]
        shown = [i for i in defects if not i.hidden]
        if defects and not shown:
            left_out["frames whose defects are all hidden"] += 1
            continue
        if shown and row.split == "train":
            left_out["defective frames of the train split"] += 1
            continue
        kinds = sorted({i.defect for i in shown})
        kind = "good" if not kinds else kinds[0] if len(kinds) == 1 else COMBINED
        folder = f"{'train' if row.split == 'train' else 'test'}/{kind}"
        stem = f"{counts.get(folder, 0):03d}"
        counts[folder] = counts.get(folder, 0) + 1
        write_bytes(root / folder / f"{stem}.png", png_encode(row.rgb(number), level=1))
        if shown:
            view = row.frames[number]
            mask = png_encode(_union(shown, view.height, view.width), level=6)
            write_bytes(root / "ground_truth" / kind / f"{stem}_mask.png", mask)
        samples.add(row.id)
        instances += len(shown)
    for folder in ("train/good", "test/good"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    kinds = sorted(f.split("/")[1] for f in counts if f.startswith("test/") and f != "test/good")
    write_bytes(out / "anomalib.yaml", _configuration(name, kinds))
    _read_back(root, counts, kinds)
    figures = {f"{folder}": float(n) for folder, n in sorted(counts.items())}
    return ExportReport("mvtec", str(out), len(samples), sum(counts.values()), instances, left_out, figures,
                        "linetwin's reader of the layout")


def _union(shown: list[Labelled], height: int, width: int) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    for item in shown:
        found = rle_crop(item.rle)
        if found is not None:
            (x, y, w, h), inside = found
            mask[y:y + h, x:x + w][inside] = 255
    return mask


def _configuration(name: str, kinds: list[str]) -> bytes:
    text = yaml.safe_dump({"data": {"class_path": "anomalib.data.Folder", "init_args": {
        "name": name, "root": f"./{name}", "normal_dir": "train/good", "normal_test_dir": "test/good",
        "abnormal_dir": [f"test/{k}" for k in kinds], "mask_dir": [f"ground_truth/{k}" for k in kinds]}}}, sort_keys=False)
    return f"# anomalib train --model Patchcore --config anomalib.yaml, run in this folder\n{text}".encode()


def _read_back(root: Path, counts: dict[str, int], kinds: list[str]) -> None:
    """Every defective picture has its mask, and counts match."""
    for folder, count in counts.items():
        if len(list((root / folder).glob("*.png"))) != count:
            raise bug(f"{root / folder}: not {count} pictures")
    for kind in kinds:
        pictures = {p.stem for p in (root / "test" / kind).glob("*.png")}
        masks = {p.stem.removesuffix("_mask") for p in (root / "ground_truth" / kind).glob("*_mask.png")}
        if pictures != masks:
            raise bug(f"{root}: pictures and masks of '{kind}' do not pair up")


__all__ = ["export"]
