"""WebDataset: tar files of samples, ``<key>.<what>``, for training from object stores and over networks.

    <split>-000000.tar
      <sample>-<frame>.depth.npy        float32 (H, W) [m], where the dataset stores depth
      <sample>-<frame>.instance.png     16 bit: 1 + position in "instances" of the JSON; where masks meet, the later one
      <sample>-<frame>.jpg or .png      the picture
      <sample>-<frame>.json             ids, split, size, instances with boxes and run lengths (COCO's, exact)

``webdataset.WebDataset("train-{000000..000003}.tar").decode("rgb")`` reads it. Headers carry no time, owner or host, files of a
sample stand together in the order of their names, samples in the order of the dataset: the same dataset gives the same bytes.
"""
from __future__ import annotations

import io
import json
import math
import tarfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from generators.dataset.schema import bug
from generators.dataset.shards import storage_error
from generators.encoding import png_encode
from generators.exports import ExportReport, Progress, frames, picture_file
from generators.masks import rle_box, rle_crop
from scenes.errors import InputError

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset
    from generators.dataset.rows import Labelled, Row

SHARD_MB = 256
SHARD_COUNT = 10_000
_MOST = 65535                                  # instances in one frame that 16 bits can tell apart


def export(dataset: Dataset, out: Path, *, split: str | None = None, shard_mb: int = SHARD_MB, shard_count: int = SHARD_COUNT,
           depth: bool = True, progress: Progress | None = None) -> ExportReport:
    """Write tar shards and read every header back.

    Args:
        dataset: What to export.
        out: A new or empty folder; it appears as a whole.
        split: Only this split.
        shard_mb: A shard ends after the sample that takes it past this size.
        shard_count: It also ends after so many samples.
        depth: Also the depth, where the dataset stores it.
        progress: Called with (rows done, rows in all, note).
    """
    if shard_mb < 1 or shard_count < 1:
        raise InputError(f"export webdataset: shards of {shard_mb} MB and {shard_count} samples; at least 1")
    left_out = {"hidden, from the instance pictures": 0}
    shards: dict[str, _Shards] = {}
    samples: set[str] = set()
    images = instances = 0
    try:
        for row, number, stem, items in frames(dataset, split, columns=("labels",) if depth else (), progress=progress):
            hidden = sum(i.hidden for i in items)
            left_out["hidden, from the instance pictures"] += hidden
            files = _files(row, number, stem, items, depth)
            if row.split not in shards:
                shards[row.split] = _Shards(out, row.split, shard_mb * 1_000_000, shard_count)
            shards[row.split].add(stem, files)
            samples.add(row.id)
            images += 1
            instances += len(items)
    finally:
        for writer in shards.values():
            writer.close()
    found = sum(_read_back(path) for path in sorted(out.glob("*.tar")))
    if found != images:
        raise bug(f"webdataset: tarfile reads {found} samples instead of {images}")
    count = sum(writer.number for writer in shards.values())
    return ExportReport("webdataset", str(out), len(samples), images, instances, left_out, {"shards": float(count)}, "tarfile")


class _Shards:
    """The tar files of one split, written one after another."""

    def __init__(self, root: Path, split: str, size: int, count: int) -> None:
        self.root, self.split, self.size, self.count = root, split, size, count
        self.number = self.held = 0
        self._file: IO[bytes] | None = None
        self._tar: tarfile.TarFile | None = None

    def add(self, key: str, files: dict[str, bytes]) -> None:
        number = self.number if self._tar is None else self.number - 1      # ``number`` counts the open one already
        path = self.root / f"{self.split}-{number:06d}.tar"
        try:
            if self._tar is None or self._file is None:
                self._file = open(path, "xb")  # noqa: SIM115 closed in close()
                self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
                self.number, self.held = self.number + 1, 0
            for name in sorted(files):
                header = tarfile.TarInfo(f"{key}.{name}")      # its defaults say mtime 0, uid 0, no names
                header.size, header.mode = len(files[name]), 0o644
                self._tar.addfile(header, io.BytesIO(files[name]))
            self.held += 1
            if self._file.tell() >= self.size or self.held >= self.count:
                self.close()
        except OSError as error:
            raise storage_error(path, error) from error

    def close(self) -> None:
        tar, file = self._tar, self._file
        self._tar = self._file = None
        if tar is not None and file is not None:
            with file:
                tar.close()


def _files(row: Row, number: int, stem: str, items: tuple[Labelled, ...], depth: bool) -> dict[str, bytes]:
    extension, picture = picture_file(row, number)
    view = row.frames[number]
    if len(items) > _MOST:
        raise InputError(f"{row.where}: {len(items):,} instances in a frame; the instance picture tells {_MOST:,} apart")
    ids = np.zeros((view.height, view.width), np.uint16)
    for k, item in enumerate(items, 1):
        found = rle_crop(item.rle)
        if found is not None:
            (x, y, w, h), inside = found
            ids[y:y + h, x:x + w][inside] = k
    about = {"sample": row.id, "frame": number, "unit": row.unit, "split": row.split, "camera": view.camera,
             "station": view.station, "width": view.width, "height": view.height, "defective": any(i.defect for i in items),
             "instances": [_instance(i) for i in items]}
    files = {extension[1:]: picture, "instance.png": png_encode(ids, level=1),
             "json": json.dumps(about, sort_keys=True, allow_nan=False).encode()}
    if depth and row.has_label("depth", number):
        buffer = io.BytesIO()
        np.save(buffer, row.label("depth", number).astype("<f4"), allow_pickle=False)
        files["depth.npy"] = buffer.getvalue()
    return files


def _instance(item: Labelled) -> dict[str, Any]:
    box = rle_box(item.rle)
    return {"category": item.category, "category_id": item.category_id, "defect": item.defect, "component": item.component,
            "pads": list(item.pads), "severity": None if math.isnan(item.severity) else item.severity,
            "severity_unit": item.severity_unit, "hidden": item.hidden, "bbox": list(box) if box else None,
            "amodal_bbox": list(item.amodal_box), "area": item.visible_pixels, "rle": item.rle["counts"],
            "amodal_rle": item.amodal_rle["counts"]}


def _read_back(path: Path) -> int:
    """Samples in a shard; each key must stand together and have a JSON."""
    keys: list[str] = []
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            key, what = member.name.split(".", 1)
            if not keys or keys[-1] != key:
                keys.append(key)
            if what == "json":
                found = tar.extractfile(member)
                assert found is not None
                if json.loads(found.read())["frame"] != int(key.rsplit("-", 1)[1]):
                    raise bug(f"{path.name}: {member.name} is of another frame")
    if len(set(keys)) != len(keys):
        raise bug(f"{path.name}: files of one sample do not stand together")
    return len(keys)


__all__ = ["SHARD_COUNT", "SHARD_MB", "export"]
