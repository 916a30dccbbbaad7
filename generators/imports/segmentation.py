"""From a segmentation picture and its mappings to objects with masks.

Replicator writes one id a pixel, as 32 bits: raw, or as the colour (r, g, b, a), which is the same four bytes. Three
pictures can say what stands where; the most telling one that a frame has is used:

    instance_segmentation       one id per labelled prim; mapping: id → prim path, semantics_mapping: id → labels
    instance_id_segmentation    one id per leaf prim; its class is that of semantic_segmentation, where that agrees
    semantic_segmentation       one id per class: all that is of one class is one object; without names, of one colour
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.imports.files import read_object, read_picture
from generators.imports.layout import View
from generators.imports.names import MAX_PATH, UNKNOWN, Naming, class_name, clean, key_id, prim_path, texts
from generators.masks import id_boxes
from scenes.errors import DatasetError

_EMPTY = (0, 255 << 24)                        # BACKGROUND (0, 0, 0, 0) and UNLABELLED (0, 0, 0, 255)
_RAW_EMPTY = (0, 1)
_NOTHING = ("BACKGROUND", "UNLABELLED")
UNLABELLED = object()                          # an id that no mapping speaks of
MAX_IDS = 65_535                               # in one frame
SOURCES = ("instance_segmentation", "instance_id_segmentation", "semantic_segmentation", "segmentation")
_MAPS = {"instance_segmentation": "instance_segmentation_semantics_mapping.json",
         "semantic_segmentation": "semantic_segmentation_labels.json"}


@dataclass(frozen=True, eq=False)
class Thing:
    """One object in one frame. ``cells`` are its ids in the frame's id image."""
    category: str
    component: str                             # label "reference" where there is one, else the prim path, else the colour
    path: str                                  # prim path, "" where the folder does not say one
    cells: tuple[int, ...]
    source: str                                # which picture said so


@dataclass(frozen=True, eq=False)
class Segmented:
    """A frame's objects over its id image uint32 (H, W), 0 where nothing is. ``unseen``: mapped ids without a pixel."""
    ids: NDArray[np.uint32]
    boxes: Mapping[int, tuple[slice, slice]]   # (rows, columns) that hold every pixel of an id
    things: tuple[Thing, ...]
    names: Mapping[int, str]                   # id → prim path or colour: the same thing has the same name in every frame
    unseen: tuple[str, ...]


def source_of(view: View) -> str | None:
    """The segmentation that a view's objects come from."""
    return next((s for s in SOURCES if f"{s}.png" in view.files), None)


def labels_of(view: View, source: str) -> str | None:
    """The path of the file that names the classes of a source, None where there is none."""
    name = _MAPS["semantic_segmentation" if source == "instance_id_segmentation" else source] if source != "segmentation" else ""
    if source == "instance_id_segmentation" and "semantic_segmentation.png" not in view.files:
        return None
    return view.files.get(name)


def categories_of(folder: Path, view: View, naming: Naming) -> set[str]:
    """Every category that ``segmented`` can give for this view. Reads its label file only."""
    source = source_of(view)
    if source is None:
        return set()
    path = labels_of(view, source)
    if path is None:
        return {UNKNOWN}
    found: set[str] = set() if source != "instance_id_segmentation" else {UNKNOWN}
    for label in read_object(folder / path).values():
        found.update(_categories(label, naming, str(folder / path)))
    return found


def segmented(folder: Path, view: View, naming: Naming) -> Segmented | None:
    """The objects of a view, None where it has no segmentation.

    Raises:
        DatasetError: names the file and what contradicts: a pixel whose id its mapping does not hold, sizes that differ.
    """
    source = source_of(view)
    if source is None:
        return None
    where = folder / view.files[f"{source}.png"]
    ids, colours = _ids(where)
    boxes = id_boxes(ids)
    if len(boxes) > MAX_IDS:
        raise DatasetError(f"{where}: frame {view.frame} shows {len(boxes):,} ids, at most {MAX_IDS:,}; not a segmentation")
    prims, path = _prims(folder, view, source), labels_of(view, source)
    labels = None if path is None or source == "instance_id_segmentation" else _mapping(folder / path, colours, where)
    known: Mapping[int, Any] | None = prims if labels is None else labels
    empty = {i for i in (_EMPTY if colours else _RAW_EMPTY) if known is None or not _named(known.get(i), naming, str(where))}
    shown = [i for i in sorted(boxes) if i not in empty]
    if known is not None and (lost := [i for i in shown if i not in known]):
        raise DatasetError(f"{where}: frame {view.frame} shows id {_text(lost[0], colours)}, which its mapping does not hold; "
                           "the picture and the mapping are of different runs")
    if path is not None and source == "instance_id_segmentation":
        labels = _class_under(folder, view, path, ids, boxes, shown)
    things: dict[tuple[str, str, str], list[int]] = {}
    paths: dict[tuple[str, str, str], str] = {}
    names: dict[int, str] = {}
    for i in shown:
        prim = (prims or {}).get(i, "")
        if prim.upper() in _NOTHING:
            continue
        name = prim or (f"colour {_text(i, colours)}" if colours else f"id {i}")
        meanings = _meanings(UNLABELLED if labels is None else labels.get(i, UNLABELLED), naming, name, str(where))
        if len(meanings) > 1:                  # the mapping names one of them, so these pixels are a thing of their own
            name, prim = " + ".join(f"{category} {component}" for category, component, _ in meanings), ""
        for category, component, finding in meanings:
            whole = source == "semantic_segmentation" and category != UNKNOWN
            key = (category, "", "") if whole else (category, component, finding or str(i))
            things.setdefault(key, []).append(i)
            paths[key] = paths.get(key) or prim
            names[i] = category if whole else name
    mapped = set() if source == "semantic_segmentation" else {*(prims or ()), *(labels or ())}
    unseen = [i for i in sorted(mapped - set(boxes)) if (prims is None or i not in prims or _named(prims[i], naming, str(where)))
              and (labels is None or i not in labels or _named(labels[i], naming, str(where)))]
    if 0 in names:                             # something is called 0 here; below, 0 is where nothing is
        free = next(i for i in range(1, len(boxes) + 2) if i not in boxes)
        ids[ids == 0] = free
        boxes[free], names[free] = boxes.pop(0), names.pop(0)
        things = {key: [i or free for i in cells] for key, cells in things.items()}
    ids[np.isin(ids, np.array([i for i in boxes if i not in names], np.uint32))] = 0
    found = tuple(Thing(key[0], key[1], paths[key], tuple(cells), source) for key, cells in things.items())
    return Segmented(ids, boxes, found, names, tuple(_text(i, colours) for i in unseen))


def _named(label: Any, naming: Naming, where: str) -> bool:
    """Whether a mapping says that an id is something. Ids 0 and 1 are background and unlabelled, unless it says otherwise."""
    return label is not None and bool(class_name(label, naming, where))


def _meanings(label: Any, naming: Naming, name: str, where: str) -> list[tuple[str, str, str]]:
    """What a pixel of one id belongs to: (category, component, finding).

    linetwin's own export marks where findings overlap: "finding": "4,7" beside "class": "shift,void" and one reference each.
    Then the pixel belongs to both, and ids that share a finding are one object.
    """
    if label is UNLABELLED:
        return [(UNKNOWN, name, "")]
    findings, classes = texts(label, "finding", where), texts(label, "class", where)
    reference = str(label.get("reference", "")).split(",") if isinstance(label, Mapping) else []
    references = [clean(r, where, MAX_PATH) for r in reference]        # imported objects have their prim path as reference
    if findings and len(findings) == len(classes) == len(references):
        return list(zip(classes, references, findings, strict=True))
    category = class_name(label, naming, where)
    return [(category, ",".join(r for r in references if r) or name, "")] if category else []


def _categories(label: Any, naming: Naming, where: str) -> set[str]:
    return {c for c, *_ in _meanings(label, naming, "", where)}


def _ids(path: Path) -> tuple[NDArray[np.uint32], bool]:
    """The id image uint32 (H, W) of a picture, and whether it holds four bytes a pixel."""
    picture = read_picture(path)
    if picture.ndim == 2:
        return picture.astype(np.uint32), False
    if picture.shape[2] == 3:
        opaque = np.full((*picture.shape[:2], 1), 255, np.uint8)
        picture = np.concatenate([picture, opaque], axis=2)
    return np.ascontiguousarray(picture).view("<u4")[..., 0].astype(np.uint32), True


def _mapping(path: Path, colours: bool, picture: Path) -> dict[int, Any]:
    """A mapping by id. Raw 32-bit ids may have been stored as four bytes a pixel, so colour pictures may have plain keys."""
    data = read_object(path)
    if not colours and any(key.lstrip().startswith("(") for key in data):
        raise DatasetError(f"{path}: speaks of colours, but {picture.name} holds ids; they are of different runs")
    return {key_id(key, str(path)): value for key, value in data.items()}


def _prims(folder: Path, view: View, source: str) -> dict[int, str] | None:
    """Id → prim path, None where there is no such file."""
    path = view.files.get(f"{source}_mapping.json")
    if path is None:
        return None
    found = {}
    for key, value in read_object(folder / path).items():
        value = class_name(value, Naming(), str(folder / path)) if not isinstance(value, str) else value
        found[key_id(key, str(folder / path))] = prim_path(value, str(folder / path))
    return found


def _class_under(folder: Path, view: View, path: str, ids: NDArray[np.uint32], boxes: Mapping[int, tuple[slice, slice]],
                 shown: list[int]) -> dict[int, Any]:
    """The class of each leaf prim, from the semantic picture; left out where its pixels are of several classes."""
    where = folder / view.files["semantic_segmentation.png"]
    classes, colours = _ids(where)
    if classes.shape != ids.shape:
        raise DatasetError(f"{where}: frame {view.frame} is {classes.shape[1]} × {classes.shape[0]} pixels, its instance ids are "
                           f"{ids.shape[1]} × {ids.shape[0]}; they are of different runs")
    labels = _mapping(folder / path, colours, where)
    found = {}
    for i in shown:
        box = boxes[i]
        under = np.unique(classes[box][ids[box] == i])
        if len(under) == 1 and int(under[0]) in labels:
            found[i] = labels[int(under[0])]
    return found


def _text(i: int, colours: bool) -> str:
    return f"({i & 255}, {i >> 8 & 255}, {i >> 16 & 255}, {i >> 24})" if colours else str(i)


__all__ = ["SOURCES", "Segmented", "Thing", "categories_of", "labels_of", "segmented", "source_of"]
