"""Exports: a dataset in another tool's format, made from the masks alone and read back by that tool where it is installed.

``coco``, ``yolo``, ``mvtec``, ``hf``, ``kitti``, ``webdataset``, ``changenet``, ``replicator`` and, for clips, ``mp4`` (in
``video``) are here; others plug in by the entry point group ``linetwin.exporters`` with a function
``export(dataset, out, **options) -> ExportReport``. Options that all of ours share:

    split            only this split
    masks            "visible" (default), or "amodal": also the hidden pixels, for formats that hold masks
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.masks import Box, Rle, rle_box
from scenes.errors import InputError

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset
    from generators.dataset.rows import Labelled, Row


_COLUMNS = ("id", "index", "unit", "split", "frames", "images", "instances")
Progress = Callable[[int, int, str], None]     # rows done, rows in all, note


@dataclass(frozen=True)
class ExportReport:
    """What was written. ``left_out`` counts instances by reason; ``verified`` names the reader that read it back."""
    format: str
    out: str
    samples: int
    images: int
    instances: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    verified: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.format}: {self.images:,} images, {self.instances:,} instances, {self.samples:,} samples in {self.out}"]
        lines += [f"  left out: {n:,} {why}" for why, n in self.left_out.items() if n]
        lines += [f"  {name}: {value:.4g}" for name, value in self.figures.items()]
        lines.append(f"  read back by {self.verified}" if self.verified else "  not read back: the reader is not installed")
        return "\n".join(lines)


def export(dataset: Dataset, format: str, out: Path, *, progress: Progress | None = None, **options: Any) -> ExportReport:
    """Write ``dataset`` in ``format``. Raises InputError for an unknown format or option, DatasetError for a taken folder.

    ``out`` is there as a whole or not at all, whatever the exporter does. ``progress`` is handed to exporters that take one.
    """
    from importlib.metadata import entry_points
    from inspect import signature

    from generators.dataset.folders import whole_folder

    found = {e.name: e for e in entry_points(group="linetwin.exporters")}
    if format not in found:
        raise InputError(f"export: no format '{format}'; there are: {', '.join(sorted(found))}")
    exporter = found[format].load()
    if progress is not None and "progress" in signature(exporter).parameters:
        options["progress"] = progress
    try:
        with whole_folder(Path(out)) as folder:
            return replace(exporter(dataset, folder, **options), out=str(out))
    except TypeError as error:
        if "keyword argument" not in str(error):
            raise
        raise InputError(f"export {format}: {error}; see linetwin export --help") from None


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file of an export. Raises StorageError."""
    from generators.dataset.shards import storage_error

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise storage_error(path, error) from error


def frames(dataset: Dataset, split: str | None, *, columns: Sequence[str] = (),
           progress: Progress | None = None) -> Iterator[tuple[Row, int, str, tuple[Labelled, ...]]]:
    """Every frame with a picture: (row, frame number, file stem, its instances).

    ``columns``: of the rows, to be read beside those of pictures and instances.
    """
    from generators.dataset.schema import SPLITS

    if split is not None and split not in SPLITS:
        raise InputError(f"export: no split '{split}'; one of {', '.join(SPLITS)}")
    for done, row in enumerate(dataset.rows((*_COLUMNS, *columns)), 1):
        if progress is not None:
            progress(done, len(dataset), "export")
        if split is not None and row.split != split:
            continue
        for number in range(len(row.frames)):
            if any(i["frame"] == number and i["modality"] == "rgb" for i in row.data["images"]):
                yield row, number, f"{row.id}-{number}", tuple(i for i in row.instances if i.frame == number)


def chosen(instances: Iterable[Labelled], masks: str, defects_only: bool,
           left_out: dict[str, int]) -> Iterator[tuple[Labelled, Rle, Box]]:
    """Instances with a pixel to show, their run lengths and boxes. Counts the others by reason in ``left_out``.

    Args:
        masks: "visible" leaves hidden instances out; "amodal" keeps them.
        defects_only: Leave parts without a defect out.
    """
    for item in instances:
        if defects_only and not item.defect:
            left_out["parts without a defect"] += 1
            continue
        rle = item.rle if masks == "visible" else item.amodal_rle
        box = rle_box(rle)
        if box is None:
            left_out["hidden"] += 1
            continue
        yield item, rle, box


def picture_file(row: Row, frame: int) -> tuple[str, bytes]:
    """(extension, bytes) of a frame's picture as a file of its own: stored PNGs are deflated, JPEGs stay as they are."""
    from generators.encoding import png_encode

    data = row.image_bytes("rgb", frame)
    if data[:2] == b"\xff\xd8":
        return ".jpg", data
    return ".png", png_encode(row.rgb(frame), level=1)


__all__ = ["ExportReport", "Progress", "chosen", "export", "frames", "picture_file", "write_bytes"]
