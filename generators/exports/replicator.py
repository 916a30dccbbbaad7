"""What Omniverse Replicator's BasicWriter would have written: its file names, its dtypes, its JSON.

    rgb_0000.png                                                     RGBA
    semantic_segmentation_0000.png, _labels_0000.json                RGBA, "(r, g, b, a)" → {"class": …}
    instance_segmentation_0000.png, _mapping_…, _semantics_mapping_… RGBA, → prim path, → {"class": …}
    bounding_box_2d_tight_0000.npy, _labels_…, _prim_paths_…         structured, pixels, maximum inclusive; 2d_loose alike
    distance_to_image_plane_0000.npy                                 float32 (H, W) [m], +inf where nothing is
    camera_params_0000.json                                          row-vector matrices

Flat for one camera, ``<camera>/<annotator>/`` for several, as BasicWriter does. ``frames.csv`` beside them says which sample,
unit and split a frame number is; Replicator has no word for those. Two findings can share pixels and a prim has one id: then
the shared pixels have an id of their own, with both classes, "shift,tombstone", as Replicator merges nested labels, and the
taxonomies "finding" and "reference" say which objects it belongs to. What is hidden keeps its loose box only.
"""
from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generators.dataset.schema import SPLITS, bug
from generators.encoding import png_encode
from generators.exports import ExportReport, Progress, frames, write_bytes
from generators.exports.payload import BOX_2D
from generators.imports.camera import camera_params
from generators.imports.layout import ONE
from generators.imports.sides import NAME, Side, sides_text
from generators.masks import rle_box, rle_crop
from scenes.errors import DatasetError, InputError
from scenes.usd.names import prim_name

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset
    from generators.dataset.rows import Labelled, Row, View

BACKGROUND, UNLABELLED = (0, 0, 0, 0), (0, 0, 0, 255)
_SPREAD = 0x9E3779                             # odd, so k → k · _SPREAD mod 2²⁴ never repeats a colour, and neighbours differ
_FIRST_CLASS = 2                               # semantic ids: 0 is background, 1 unlabelled
_LONGEST = 200                                 # characters of a component in a prim path: of imported ones it is a whole path


def export(dataset: Dataset, out: Path, *, split: str | None = None, progress: Progress | None = None) -> ExportReport:
    """Write BasicWriter's layout.

    Args:
        dataset: What to export; colour frames alone, there is no annotator for infrared and X-ray pictures.
        out: A new or empty folder; it appears as a whole.
        split: Only this split.
        progress: Called with (rows done, rows in all, note).

    Raises:
        DatasetError: ``out`` is taken, or the dataset has no colour frame.
    """
    if split is not None and split not in SPLITS:
        raise InputError(f"export: no split '{split}'; one of {', '.join(SPLITS)}")
    products, others = _products(dataset, split)
    if not products:
        where = f" in split {split}" if split else ""
        raise DatasetError(f"{dataset.path}: no colour frame{where}; BasicWriter has no other pictures")
    classes = [d.name for d in dataset.taxonomy.defects] + list(dataset.taxonomy.parts)
    left_out = {"infrared and X-ray frames": others, "hidden instances, as loose boxes only": 0,
                "hidden pixels of instances that are partly seen": 0}
    sides: list[tuple[str, Side]] = []
    samples: set[str] = set()
    written: list[tuple[str, int]] = []        # box file, how many boxes
    images = instances = shared = 0
    first, current, steps = 0, "", dict.fromkeys(products, 0)
    for row, number, _, items in frames(dataset, split, columns=("labels",), progress=progress):
        if row.id != current:
            first, current, steps = len(sides), row.id, dict.fromkeys(products, 0)
        product = product_name(row.frames[number])
        event = first + steps[product]
        steps[product] += 1
        frame = f"{event:04d}"
        if event == len(sides):
            sides.append((frame, Side(row.id, row.unit, row.split)))
        prefix = _Place(out, product if len(products) > 1 else "", frame)
        cells = Cells(row, number, items)
        _write(prefix, row, number, items, cells, classes)
        written += [(str(prefix.path(f"bounding_box_2d_{kind}", "npy").relative_to(out)), n)
                    for kind, n in (("tight", len(cells.shown)), ("loose", len(items)))]
        samples.add(row.id)
        images += 1
        instances += len(cells.shown)
        shared += cells.shared
        left_out["hidden instances, as loose boxes only"] += len(items) - len(cells.shown)
        left_out["hidden pixels of instances that are partly seen"] += sum(
            items[k].amodal_pixels - items[k].visible_pixels for k in cells.shown)
    write_bytes(out / NAME, sides_text(sides).encode())
    _read_back(out, written)
    figures = {"frame numbers": float(len(sides)), "cameras": float(len(products)), "pixels of several instances": float(shared)}
    return ExportReport("replicator", str(out), len(samples), images, instances, left_out, figures, f"numpy {np.__version__}")


def _products(dataset: Dataset, split: str | None) -> tuple[tuple[str, ...], int]:
    """Render products of the colour frames, by name, and how many frames of other instruments there are."""
    from generators.dataset.rows import Row

    found: dict[str, None] = {}
    others = 0
    columns = ("split", "frames", "images.list.element.frame", "images.list.element.modality")
    for shard in dataset.shards:
        for row in dataset.shard(shard, columns):
            if split is not None and row.split != split:
                continue
            colour = {i["frame"] for i in row.data["images"] if i["modality"] == "rgb"}
            others += len(row.frames) - len(colour)
            assert isinstance(row, Row)
            found.update((product_name(row.frames[n]), None) for n in sorted(colour))
    return tuple(sorted(found)), others


def product_name(view: View) -> str:
    """The render product of a frame: its camera, and its tile where the camera looks at several places."""
    tile = view.view.get("tile", 0)
    return prim_name(view.camera or ONE) + (f"_tile{tile}" if tile else "")


class _Place:
    """Where the files of one frame of one product go."""

    def __init__(self, root: Path, product: str, frame: str) -> None:
        self.root, self.product, self.frame = root, product, frame

    def path(self, annotator: str, kind: str, part: str = "") -> Path:
        name = f"{annotator}{part and f'_{part}'}_{self.frame}.{kind}"
        return self.root / self.product / annotator / name if self.product else self.root / name

    def json(self, annotator: str, part: str, data: Any) -> None:
        write_bytes(self.path(annotator, "json", part), json.dumps(data, allow_nan=False).encode())

    def array(self, annotator: str, array: NDArray[Any]) -> None:
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        write_bytes(self.path(annotator, "npy"), buffer.getvalue())

    def picture(self, annotator: str, rgba: NDArray[np.uint8]) -> None:
        write_bytes(self.path(annotator, "png"), png_encode(rgba, level=1))


class Cells:
    """One frame's pixels, each with the set of visible instances that it belongs to.

    ``index`` uint32 (H, W) points into ``members``, whose entry 0 is the empty set; ``shown`` are the visible instances.
    """

    def __init__(self, row: Row, number: int, items: Sequence[Labelled]) -> None:
        view = row.frames[number]
        self.index: NDArray[np.uint32] = np.zeros((view.height, view.width), np.uint32)
        self.members: list[tuple[int, ...]] = [()]
        self.shown: list[int] = []
        known: dict[tuple[int, ...], int] = {(): 0}
        for k, item in enumerate(items):
            found = rle_crop(item.rle)
            if found is None:
                continue
            self.shown.append(k)
            (x, y, w, h), inside = found
            part = self.index[y:y + h, x:x + w]
            under = part[inside]
            for old in np.unique(under):
                members = (*self.members[old], k)
                if members not in known:
                    known[members] = len(self.members)
                    self.members.append(members)
                under[under == old] = known[members]       # a new cell's number is above every old one: none is met twice
            part[inside] = under
        counts = np.bincount(self.index.ravel(), minlength=len(self.members))
        self.shared = int(sum(int(n) for members, n in zip(self.members, counts, strict=True) if len(members) > 1))
        self.used = [c for c in range(1, len(self.members)) if counts[c]]


def colour(k: int) -> tuple[int, int, int, int]:
    """The colour of id k ≥ 1, opaque; every id below 2²⁴ has its own, and none is that of background or unlabelled."""
    mixed = k * _SPREAD & 0xFFFFFF
    return mixed & 255, mixed >> 8 & 255, mixed >> 16, 255


def _write(place: _Place, row: Row, number: int, items: Sequence[Labelled], cells: Cells, classes: Sequence[str]) -> None:
    rgb = row.rgb(number)
    place.picture("rgb", np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 255, np.uint8)], axis=2))
    view = row.frames[number]
    paths = prim_paths(view, items)
    _instance_segmentation(place, items, cells, paths)
    _semantic_segmentation(place, items, cells, classes)
    for kind in ("tight", "loose"):
        chosen = cells.shown if kind == "tight" else list(range(len(items)))
        boxes = np.zeros(len(chosen), BOX_2D)
        for at, k in enumerate(chosen):
            item = items[k]
            box = rle_box(item.rle) if kind == "tight" else item.amodal_box
            assert box is not None
            x, y, w, h = box
            hidden = 1.0 - item.visible_pixels / item.amodal_pixels
            boxes[at] = (_FIRST_CLASS + classes.index(item.category), x, y, x + w - 1, y + h - 1, hidden)
        annotator = f"bounding_box_2d_{kind}"
        place.array(annotator, boxes)
        place.json(annotator, "labels", {str(_FIRST_CLASS + classes.index(c)): {"class": c}
                                         for c in sorted({items[k].category for k in chosen}, key=classes.index)})
        place.json(annotator, "prim_paths", [paths[k] for k in chosen])
    if row.has_label("depth", number):
        place.array("distance_to_image_plane", row.label("depth", number).astype("<f4"))
    if {"pose", "distance", "pixel_size", "model"} <= set(view.view):
        place.json("camera_params", "", camera_params(view.looking()))


def prim_paths(view: View, items: Sequence[Labelled]) -> list[str]:
    """One path per instance below the station's bench, as in the line's stage; defects are below the part that they are on."""
    line = "/".join(prim_name(p) for p in view.station.split("/") if p)
    product, found, used = f"/World/{line}/Bench/Product", [], set()
    for k, item in enumerate(items):
        path = f"{product}/Parts/{prim_name(item.component[-_LONGEST:])}" if item.component else f"{product}/Board"
        if item.defect or path in used:
            path += f"/{prim_name(item.category)}_{k}"
        used.add(path)
        found.append(path)
    return found


def _instance_segmentation(place: _Place, items: Sequence[Labelled], cells: Cells, paths: Sequence[str]) -> None:
    table = np.zeros((len(cells.members), 4), np.uint8)
    mapping: dict[str, str] = {str(BACKGROUND): "BACKGROUND", str(UNLABELLED): "UNLABELLED"}
    semantics: dict[str, Mapping[str, str]] = {str(BACKGROUND): {"class": "BACKGROUND"}, str(UNLABELLED): {"class": "UNLABELLED"}}
    for c in cells.used:
        members, key = cells.members[c], colour(c)
        table[c] = key
        mapping[str(key)] = paths[members[0]]
        semantics[str(key)] = {"class": ",".join(items[k].category for k in members),
                               "reference": ",".join(items[k].component for k in members),
                               "finding": ",".join(str(k) for k in members)}
    place.picture("instance_segmentation", table[cells.index])
    place.json("instance_segmentation", "mapping", mapping)
    place.json("instance_segmentation", "semantics_mapping", semantics)


def _semantic_segmentation(place: _Place, items: Sequence[Labelled], cells: Cells, classes: Sequence[str]) -> None:
    """A colour per class; pixels of several classes have one of their own, after those of the taxonomy and the same in every
    frame: it comes from the classes' numbers."""
    table = np.zeros((len(cells.members), 4), np.uint8)
    labels: dict[str, Mapping[str, str]] = {str(BACKGROUND): {"class": "BACKGROUND"}, str(UNLABELLED): {"class": "UNLABELLED"}}
    taken: dict[tuple[int, int, int, int], str] = {}
    for c in cells.used:
        names = sorted({items[k].category for k in cells.members[c]}, key=classes.index)
        number = 0
        for name in names:
            number = number * (len(classes) + 1) + 1 + classes.index(name)
        text = ",".join(names)
        key = colour(1 + (number - 1) % 0xFFFFFE)
        while taken.setdefault(key, text) != text:                   # only where five classes meet in one pixel
            number += 1
            key = colour(1 + (number - 1) % 0xFFFFFE)
        table[c] = key
        labels[str(key)] = {"class": text}
    place.picture("semantic_segmentation", table[cells.index])
    place.json("semantic_segmentation", "labels", labels)


def _read_back(root: Path, written: Sequence[tuple[str, int]]) -> None:
    """Load every box file as Replicator's users do; counts and dtype are those that were written."""
    for name, count in written:
        boxes = np.load(root / name, allow_pickle=False)
        if boxes.dtype != BOX_2D or len(boxes) != count:
            raise bug(f"{name}: numpy reads {len(boxes)} boxes of {boxes.dtype} instead of {count}")


__all__ = ["Cells", "colour", "export", "prim_paths", "product_name"]
