"""Replicator's own writers and ours, set up for a linetwin stage. Import it when Isaac Sim is up.

BasicWriter sets the semantic filter of the whole process ("class:*"). All that is set up here agrees with that one: the
stage's ``class`` labels. Do not add a writer with another filter to the same process.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any

import omni.replicator.core as rep

from . import stage as twin_stage
from .twin_writer import TwinWriter

NAMES = ("twin", "basic", "pose", "kitti", "coco")
SHARE = 0x9E3779B1                             # spreads class numbers over colours (2³² over the golden ratio)


def open_writer(name: str, out: str | Path, stage: Any) -> Any:
    """A writer, ready to attach; it writes into its own folder below ``out``. Raises ValueError for an unknown name."""
    if name not in NAMES:
        raise ValueError(f"writer '{name}': unknown; there are: {', '.join(NAMES)}")
    folder = str(Path(out) / name)
    opened = {"twin": _twin, "basic": _basic, "pose": _pose, "kitti": _kitti, "coco": _coco}[name](folder, stage)
    return opened


def known(stage: Any) -> dict[str, tuple[int, dict[str, str]]]:
    """What TwinWriter takes."""
    return {path: (t.instance, dict(t.labels)) for path, t in twin_stage.twins(stage).items()}


def _twin(folder: str, stage: Any) -> Any:
    rep.WriterRegistry.register(TwinWriter)
    writer = rep.WriterRegistry.get("TwinWriter")
    writer.initialize(output_dir=folder, twins=known(stage), products=twin_stage.products(stage))
    return writer


def _basic(folder: str, stage: Any) -> Any:
    writer = rep.WriterRegistry.get("BasicWriter")
    writer.initialize(output_dir=folder, rgb=True, bounding_box_2d_tight=True, bounding_box_3d=True, semantic_segmentation=True,
                      instance_segmentation=True, distance_to_image_plane=True, camera_params=True)
    return writer


def _pose(folder: str, stage: Any) -> Any:
    writer = rep.WriterRegistry.get("PoseWriter")
    writer.initialize(output_dir=folder, use_subfolders=True, write_debug_images=True)
    return writer


def _kitti(folder: str, stage: Any) -> Any:
    writer = rep.WriterRegistry.get("KittiWriter")
    writer.initialize(output_dir=folder)
    return writer


def _coco(folder: str, stage: Any) -> Any:
    writer = rep.WriterRegistry.get("CocoWriter")
    writer.initialize(output_dir=folder, coco_categories=categories(twin_stage.classes(stage)))
    return writer


def categories(classes: list[str]) -> dict[str, dict[str, Any]]:
    """CocoWriter's categories of our class labels."""
    def tint(number: int) -> list[int]:
        mixed = number * SHARE & 0xFFFFFFFF
        return [mixed >> shift & 255 for shift in (24, 16, 8)]

    return {name: {"name": name, "id": number, "supercategory": "assembly", "color": tint(number), "isthing": 1}
            for number, name in enumerate(classes, start=1)}


__all__ = ["NAMES", "categories", "known", "open_writer"]
