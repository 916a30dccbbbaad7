"""Clips as MP4, with tracks: one folder a clip, in the layout of MOTChallenge, and one YouTube-VIS file a split beside them.

    <split>/<sample>[-<camera>]/video.mp4       H.264, 4:2:0, BT.709
                               /img1/000001.png the frames themselves, lossless (000001.jpg where the dataset holds JPEGs)
                               /gt/gt.txt       frame, track, x, y, w, h, 1, class, visibility; everything counts from 1
                               /gt/labels.txt   names of the classes, one a line
                               /gt/tracks.csv   track, category, defect, component, pads, severity, unit
                               /seqinfo.ini     rate, length, size
    annotations/tracks_<split>.json             videos, categories, and per track its masks, boxes and areas (None out of sight)

4:2:0 needs even sides: where a picture has an odd one, the video repeats its last row or column. Still pictures are left out.
"""
from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from generators.dataset.schema import SPLITS, bug
from generators.dataset.tracks import Thing, rate, tracks
from generators.exports import ExportReport, picture_file, write_bytes
from generators.masks import rle_area, rle_box
from scenes.errors import BackendUnavailable, DatasetError, InputError

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset
    from generators.dataset.rows import Labelled, Row

_BT709, _SRGB, _LIMITED = 1, 13, 1             # AVCOL_SPC_BT709 and AVCOL_PRI_BT709, AVCOL_TRC_IEC61966_2_1, AVCOL_RANGE_MPEG
_REPEATABLE = {"threads": "1", "x264-params": "mbtree=0"}     # x264's macroblock tree gave other bytes in one run of ten
_COLUMNS = ("id", "index", "unit", "split", "frames", "images", "instances")


def export(dataset: Dataset, out: Path, *, split: str | None = None, masks: Literal["visible", "amodal"] = "visible",
           defects_only: bool = False, quality: int = 18) -> ExportReport:
    """Write videos, frames and tracks, and read each video back.

    Args:
        dataset: What to export; it holds clips.
        out: The folder to fill, there and empty.
        split: Only this split.
        masks: "visible" leaves out, and counts, what is hidden in a frame; "amodal" keeps it.
        defects_only: Leave parts without a defect out.
        quality: x264's constant rate factor, 0 (all but lossless) to 51.

    Raises:
        BackendUnavailable: PyAV is not installed, or has no H.264 encoder.
        DatasetError: the dataset holds no clip.
        InputError: an option is out of range.
    """
    if masks not in ("visible", "amodal"):
        raise InputError(f"export mp4: masks '{masks}'; one of visible, amodal")
    if split is not None and split not in SPLITS:
        raise InputError(f"export: no split '{split}'; one of {', '.join(SPLITS)}")
    if not 0 <= quality <= 51:
        raise InputError(f"export mp4: quality {quality}; 0 (best) to 51")
    av = _codec()
    names = [d.name for d in dataset.taxonomy.defects] + list(dataset.taxonomy.parts)
    files: dict[str, dict[str, list[Any]]] = {}
    left_out = {"hidden": 0, "parts without a defect": 0, "still pictures": 0}
    samples: set[str] = set()
    images = boxes = size = 0
    for row in dataset.rows(_COLUMNS, split=split):
        colour = {i["frame"] for i in row.data["images"] if i["modality"] == "rgb"}
        left_out["still pictures"] += len(colour) - sum(len(n) for n in row.clips.values())
        for camera, numbers in row.clips.items():
            stem = row.id if camera == next(iter(row.clips)) else f"{row.id}-{_plain(camera)}"
            folder, view = out / row.split / stem, row.frames[numbers[0]]
            paths = _kept(tracks(row, camera), masks, defects_only, left_out)
            stored = [f"{k:06d}" for k in range(1, len(numbers) + 1)]
            for k, number in enumerate(numbers):
                extension, data = picture_file(row, number)
                stored[k] += extension
                write_bytes(folder / "img1" / stored[k], data)
            speed = Fraction(rate(row.frames, numbers)).limit_denominator(1001)
            write_bytes(folder / "video.mp4", movie(av, (row.rgb(n) for n in numbers), speed, quality))
            _read_back(av, folder / "video.mp4", len(numbers), speed, (view.width, view.height))
            boxes += _mot(folder, paths, numbers, names, masks)
            write_bytes(folder / "seqinfo.ini", _seqinfo(stem, speed, len(numbers), view.width, view.height, stored[0]))
            _vis(files.setdefault(row.split, {"videos": [], "annotations": []}), row, camera, stem, stored, paths, masks)
            samples.add(row.id)
            images += len(numbers)
            size += (folder / "video.mp4").stat().st_size
    if not images:
        raise DatasetError(f"{dataset.path}: holds no clip{f' in split {split}' if split else ''}; add 'clip:' to the recipe, "
                           "or export still pictures as coco, yolo, mvtec or hf")
    categories = [{"id": k, "name": name} for k, name in enumerate(names, 1)]
    info = {"description": dataset.info.name, "version": dataset.info.recipe_digest,
            "contributor": f"linetwin {dataset.info.linetwin}"}
    for name, file in sorted(files.items()):
        text = json.dumps({"info": info, "categories": categories, **file}, allow_nan=False)
        write_bytes(out / "annotations" / f"tracks_{name}.json", text.encode())
    videos = sum(len(f["videos"]) for f in files.values())
    figures = {"videos": float(videos), "MB of video": size * 1e-6,
               "tracks": float(sum(len(f["annotations"]) for f in files.values()))}
    return ExportReport("mp4", str(out), len(samples), images, boxes, left_out, figures, f"PyAV {av.__version__}")


def _codec() -> Any:
    try:
        import av
    except ImportError:
        raise BackendUnavailable("export mp4: PyAV is not installed; pip install 'linetwin[video]'") from None
    if "libx264" not in av.codecs_available:
        raise BackendUnavailable("export mp4: this PyAV has no libx264; reinstall its wheel: pip install --force-reinstall av")
    return av


def movie(av: Any, pictures: Iterator[NDArray[np.uint8]], speed: Fraction, quality: int = 18) -> bytes:
    """An MP4 of sRGB pictures uint8 (H, W, 3) at ``speed`` [Hz]. The same pictures give the same bytes."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", container_options={"fflags": "+bitexact"}) as container:
        stream = None
        for number, picture in enumerate(pictures):
            even = np.pad(picture, ((0, picture.shape[0] % 2), (0, picture.shape[1] % 2), (0, 0)), mode="edge")
            if stream is None:
                stream = container.add_stream("libx264", rate=speed, options={"crf": str(quality), **_REPEATABLE})
                stream.height, stream.width = even.shape[:2]
                stream.pix_fmt = "yuv420p"
                codec = stream.codec_context
                codec.thread_count, codec.time_base = 1, 1 / speed
                codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range = _BT709, _BT709, _SRGB, _LIMITED
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", threads=1)
            frame.pts, frame.time_base = number, 1 / speed
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))
    return file.getvalue()


def _kept(found: dict[Thing, list[tuple[int, Labelled | None]]], masks: str, defects_only: bool,
          left_out: dict[str, int]) -> dict[Thing, list[tuple[int, Labelled | None]]]:
    """Tracks to be written, in the order of their first frame; labels without a pixel become None."""
    kept = {}
    for thing, path in found.items():
        items = [item for _, item in path if item is not None]
        if defects_only and not items[0].defect:
            left_out["parts without a defect"] += len(items)
            continue
        shown = [(n, item if item is not None and (masks == "amodal" or not item.hidden) else None) for n, item in path]
        left_out["hidden"] += len(items) - sum(item is not None for _, item in shown)
        if any(item is not None for _, item in shown):
            kept[thing] = shown
    return kept


def _rle(item: Labelled, masks: str) -> Any:
    return item.rle if masks == "visible" else item.amodal_rle


def _mot(folder: Path, paths: dict[Thing, list[tuple[int, Labelled | None]]], numbers: tuple[int, ...], names: list[str],
         masks: str) -> int:
    """gt.txt, labels.txt and tracks.csv; returns the number of boxes. MOTChallenge counts pixels from 1, too."""
    lines = []
    for track, path in enumerate(paths.values(), 1):
        for k, (_, item) in enumerate(path, 1):
            box = None if item is None else rle_box(_rle(item, masks))
            if item is not None and box is not None:
                x, y, w, h = box
                share = item.visible_pixels / item.amodal_pixels
                lines.append((k, track, f"{k},{track},{x + 1},{y + 1},{w},{h},1,{item.category_id},{share:.4f}\n"))
    write_bytes(folder / "gt" / "gt.txt", "".join(line for *_, line in sorted(lines)).encode())
    write_bytes(folder / "gt" / "labels.txt", "".join(f"{name}\n" for name in names).encode())
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("track", "category", "defect", "component", "pads", "severity", "severity_unit"))
    for track, (thing, path) in enumerate(paths.items(), 1):
        first = next(item for _, item in path if item is not None)
        severity = "" if math.isnan(first.severity) else repr(first.severity)
        writer.writerow((track, thing.category, first.defect, thing.component, " ".join(thing.pads), severity,
                         first.severity_unit))
    write_bytes(folder / "gt" / "tracks.csv", table.getvalue().encode())
    return len(lines)


def _seqinfo(stem: str, speed: Fraction, length: int, width: int, height: int, first: str) -> bytes:
    """MOTChallenge's description of a sequence."""
    return (f"[Sequence]\nname={stem}\nimDir=img1\nframeRate={float(speed):g}\nseqLength={length}\nimWidth={width}\n"
            f"imHeight={height}\nimExt={Path(first).suffix}\n").encode()


def _vis(file: dict[str, list[Any]], row: Row, camera: str, stem: str, stored: list[str],
         paths: dict[Thing, list[tuple[int, Labelled | None]]], masks: str) -> None:
    """One video and its tracks in the form of YouTube-VIS: COCO with a list over the frames for every mask, box and area."""
    view = row.frames[row.clips[camera][0]]
    video = len(file["videos"]) + 1
    file["videos"].append({"id": video, "width": view.width, "height": view.height, "length": len(stored),
                           "file_names": [f"{row.split}/{stem}/img1/{name}" for name in stored], "sample_id": row.id,
                           "unit": row.unit, "camera": camera})
    for thing, path in paths.items():
        rles = [None if item is None else _rle(item, masks) for _, item in path]
        first = next(item for _, item in path if item is not None)
        file["annotations"].append({
            "id": len(file["annotations"]) + 1, "video_id": video, "category_id": first.category_id, "iscrowd": 0,
            "width": view.width, "height": view.height, "segmentations": rles,
            "bboxes": [None if rle is None else [float(v) for v in rle_box(rle) or ()] for rle in rles],
            "areas": [None if rle is None else rle_area(rle) for rle in rles],
            "attributes": {"component": thing.component, "pads": list(thing.pads), "defect": first.defect}})


def _read_back(av: Any, path: Path, length: int, speed: Fraction, size: tuple[int, int]) -> None:
    """Decode the video: frames, rate and size are those of the clip."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        found = (sum(1 for _ in container.decode(stream)), stream.average_rate, stream.width, stream.height)
    width, height = (n + n % 2 for n in size)
    if found != (length, speed, width, height):
        raise bug(f"{path}: PyAV reads {found[0]} frames at {found[1]} Hz of {found[2]} × {found[3]}, not what was written")


def _plain(camera: str) -> str:
    """A camera's name as part of a file's."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in camera)


__all__ = ["export", "movie"]
