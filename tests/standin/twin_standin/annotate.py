"""Annotators: a frame as the arrays and the information that Replicator hands out.

Layouts: ``_camera_common.py`` of isaacsim-sensor 6.2 and golden files of isaacsim-replicator 6.2, as ``api.json`` has them.
Ids mean something within one frame only: they change from step to step, as they may.
"""
from __future__ import annotations

import fnmatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin_standin.api import StandInError, entries
from twin_standin.faults import fault
from twin_standin.frame import STEP, Frame

BOX_2D = np.dtype([("semanticId", "<u4"), ("x_min", "<i4"), ("y_min", "<i4"), ("x_max", "<i4"), ("y_max", "<i4"),
                   ("occlusionRatio", "<f4")])
BOX_3D = np.dtype([("semanticId", "<u4"), *((f"{a}_{end}", "<f4") for end in ("min", "max") for a in "xyz"),
                   ("transform", "<f4", (4, 4)), ("occlusionRatio", "<f4")])
OCCLUSION = np.dtype([("instanceId", "<u4"), ("semanticId", "<u4"), ("occlusionRatio", "<f4")])
PEELS = 64


def checked(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Options of an annotator that exists. Raises StandInError, NotImplementedError."""
    row = entries().get(f"omni.replicator.core.annotators:{name}")
    if row is None:
        raise StandInError(f"annotator {name!r}: unknown; known: "
                           f"{', '.join(n.partition(':')[2] for n in entries() if 'core.annotators:' in n)}")
    unknown = sorted(set(options) - {p["name"] for p in row["parameters"]})
    if unknown:
        raise StandInError(f"annotator {name}: init_params has no {', '.join(unknown)}")
    if name.removesuffix("_fast") not in _MAKERS:
        raise NotImplementedError(f"annotator {name}: NVIDIA's program has it, the stand-in does not")
    if options.get("colorize"):
        raise NotImplementedError(f"annotator {name}: colorize; the stand-in gives ids")
    if options.get("mapping"):
        raise NotImplementedError(f"annotator {name}: mapping")
    return dict(options)


def data(name: str, frame: Frame, options: dict[str, Any]) -> Any:
    """What ``Annotator.get_data`` gives: an array, or {"data", "info"}."""
    return _MAKERS[name.removesuffix("_fast")](frame, options)


def _picture(frame: Frame, values: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(values.reshape(*frame.shape, *values.shape[1:]))


def _rgb(frame: Frame, options: dict[str, Any]) -> Any:
    return _picture(frame, frame.rgba).copy()


def _plane(frame: Frame, options: dict[str, Any]) -> Any:
    return _picture(frame, frame.z * np.float32(frame.world.metres))


def _camera(frame: Frame, options: dict[str, Any]) -> Any:
    return _picture(frame, frame.distance * np.float32(frame.world.metres))


def _normals(frame: Frame, options: dict[str, Any]) -> Any:
    out = np.zeros((len(frame.leaf), 4), np.float32)
    out[:, :3] = frame.normal
    return _picture(frame, out)


def _motion(frame: Frame, options: dict[str, Any]) -> Any:
    return np.zeros((*frame.shape, 4), np.float32)


def _kept(labels: dict[str, str], options: dict[str, Any]) -> dict[str, str]:
    """Labels that a semantic filter such as ``class:*`` or ``class:a|b;reference:*`` lets through."""
    predicate = options.get("semanticFilter")
    if predicate in (None, "*:*"):
        return labels
    out = {}
    for part in str(predicate).split(";"):
        taxonomy, _, words = part.strip().partition(":")
        if not words or "&" in words or "!" in words:
            raise NotImplementedError(f"semanticFilter {predicate!r}: the stand-in knows taxonomy:word|word;…")
        for name, value in labels.items():
            if fnmatch.fnmatchcase(name, taxonomy) and any(fnmatch.fnmatchcase(v, w.strip()) for v in value.split(",")
                                                           for w in words.split("|")):
                out[name] = value
    return out


def _numbers(frame: Frame, names: list[Any]) -> dict[Any, int]:
    """Name → id from 2 on, in an order of this step's own."""
    order = np.random.default_rng(frame.step).permutation(len(names))
    return {name: 2 + int(k) for name, k in zip(names, order, strict=True)}


def _keys(info: dict[int, Any]) -> dict[Any, Any]:
    return dict(info) if fault("int-keys") is not None else {str(k): v for k, v in info.items()}


def _painted(frame: Frame, of_leaf: list[int]) -> NDArray[np.uint32]:
    table = np.array([*of_leaf, 0], np.uint32)                 # the last one, −1, is the background
    return _picture(frame, table[frame.leaf])


def _semantic_ids(frame: Frame, options: dict[str, Any]) -> tuple[list[int], dict[int, dict[str, str]]]:
    kept = [_kept(leaf.labels, options) for leaf in frame.world.leaves]
    found = sorted({tuple(sorted(k.items())) for k in kept if k})
    number = _numbers(frame, found)
    ids = [number[tuple(sorted(k.items()))] if k else 1 for k in kept]
    return ids, {number[key]: dict(key) for key in found}


def _semantic(frame: Frame, options: dict[str, Any]) -> Any:
    ids, words = _semantic_ids(frame, options)
    picture = _painted(frame, ids)
    shown = set(np.unique(picture).tolist())
    info = {0: {"class": "BACKGROUND"}, 1: {"class": "UNLABELLED"}, **{k: v for k, v in words.items() if k in shown}}
    return {"data": picture, "info": {"idToLabels": _keys(info)}}


def _instance(frame: Frame, options: dict[str, Any]) -> Any:
    """One id per labelled prim."""
    leaves = frame.world.leaves
    names = sorted({leaf.labelled for leaf in leaves if leaf.labelled and _kept(leaf.labels, options)})
    number = _numbers(frame, names)
    picture = _painted(frame, [number.get(leaf.labelled, 1) for leaf in leaves])
    shown = set(np.unique(picture).tolist())
    words = {number[leaf.labelled]: _kept(leaf.labels, options) for leaf in leaves if leaf.labelled in number}
    labels = {0: "BACKGROUND", 1: "UNLABELLED", **{v: k for k, v in number.items() if v in shown}}
    semantics = {0: {"class": "BACKGROUND"}, 1: {"class": "UNLABELLED"}, **{k: v for k, v in words.items() if k in shown}}
    return {"data": picture, "info": {"idToLabels": _keys(labels), "idToSemantics": _keys(semantics)}}


def _instance_id(frame: Frame, options: dict[str, Any]) -> Any:
    """One id per mesh prim, labelled or not."""
    bare = fault("no-instance-labels") is not None
    number = _numbers(frame, [leaf.path for leaf in frame.world.leaves])
    picture = _painted(frame, [1 if bare and leaf.instanced else number[leaf.path] for leaf in frame.world.leaves])
    shown = set(np.unique(picture).tolist())
    labels = {0: "BACKGROUND", 1: "UNLABELLED", **{v: k for k, v in number.items() if v in shown}}
    return {"data": picture, "info": {"idToLabels": _keys(labels)}}


def _covered(frame: Frame, of_leaf: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pixels (count,) that each thing would cover with nothing in front, and their extents (count, 4): x0, y0, x1, y1."""
    height, width = frame.shape
    origin, direction = frame.optics.rays(width, height, 0, 0)
    start, pending = origin.copy(), np.arange(len(origin))
    seen = np.zeros((count, len(origin)), bool)
    for _ in range(PEELS):
        face, _, way = frame.rays.hit(start[pending], direction[pending])
        hit = face >= 0
        pending, face, way = pending[hit], face[hit], way[hit]
        if not len(pending):
            break
        thing = of_leaf[frame.world.leaf[face]]
        seen[thing[thing >= 0], pending[thing >= 0]] = True
        start[pending] += (way + STEP)[:, None].astype(np.float32) * direction[pending]
    extent = np.zeros((count, 4))
    for row, mask in zip(extent, seen, strict=True):
        if mask.any():
            y, x = np.divmod(np.flatnonzero(mask), width)
            row[:] = x.min(), y.min(), x.max(), y.max()
    return seen.sum(axis=1), extent


def _things(frame: Frame, options: dict[str, Any]) -> dict[str, Any]:
    """Labelled prims with a visible pixel, their ids, boxes and occlusion."""
    leaves = frame.world.leaves
    every = sorted({leaf.labelled for leaf in leaves if leaf.labelled and _kept(leaf.labels, options)})
    row = {path: k for k, path in enumerate(every)}
    of_leaf = np.array([row.get(leaf.labelled, -1) for leaf in leaves] or [-1], np.int64)
    thing = np.where(frame.leaf >= 0, of_leaf[frame.leaf], -1)
    visible = np.bincount(thing[thing >= 0], minlength=len(every))
    total, loose = _covered(frame, of_leaf, len(every))
    tight, width = np.zeros((len(every), 4)), frame.shape[1]
    for k in np.flatnonzero(visible):
        y, x = np.divmod(np.flatnonzero(thing == k), width)
        tight[k] = x.min(), y.min(), x.max(), y.max()
    ids, words = _semantic_ids(frame, options)
    semantic = {leaf.labelled: number for leaf, number in zip(leaves, ids, strict=True)}
    chosen = [k for k in range(len(every)) if visible[k]]
    number = _numbers(frame, every)
    return {"paths": [every[k] for k in chosen], "tight": tight[chosen], "loose": loose[chosen],
            "occlusion": np.clip(1 - visible[chosen] / np.maximum(total[chosen], 1), 0, 1),
            "semantic": np.array([semantic[every[k]] for k in chosen], np.uint32), "words": words,
            "instance": np.array([number[every[k]] for k in chosen], np.uint32)}


def _info(found: dict[str, Any]) -> dict[str, Any]:
    shown = set(found["semantic"].tolist())
    return {"idToLabels": _keys({k: v for k, v in found["words"].items() if k in shown}),
            "bboxIds": np.arange(len(found["paths"]), dtype=np.uint32), "primPaths": list(found["paths"])}


def _box_2d(which: str) -> Any:
    def make(frame: Frame, options: dict[str, Any]) -> Any:
        found = _things(frame, options)
        out = np.zeros(len(found["paths"]), BOX_2D)
        out["semanticId"], out["occlusionRatio"] = found["semantic"], found["occlusion"]
        for k, name in enumerate(("x_min", "y_min", "x_max", "y_max")):
            out[name] = found[which][:, k]
        return {"data": out, "info": _info(found)}
    return make


def _box_3d(frame: Frame, options: dict[str, Any]) -> Any:
    found = _things(frame, options)
    out = np.zeros(len(found["paths"]), BOX_3D)
    out["semanticId"], out["occlusionRatio"] = found["semantic"], found["occlusion"]
    for row, path in zip(out, found["paths"], strict=True):
        for axis, (low, high) in zip("xyz", frame.world.bounds(path).T, strict=True):
            row[f"{axis}_min"], row[f"{axis}_max"] = low, high
        row["transform"] = frame.world.matrices[path]
    return {"data": out, "info": _info(found)}


def _occlusion(frame: Frame, options: dict[str, Any]) -> Any:
    found = _things(frame, options)
    out = np.zeros(len(found["paths"]), OCCLUSION)
    out["instanceId"], out["semanticId"], out["occlusionRatio"] = found["instance"], found["semantic"], found["occlusion"]
    return out


def _params(frame: Frame, options: dict[str, Any]) -> Any:
    return {**frame.optics.params, "metersPerSceneUnit": frame.world.metres}


_MAKERS = {"rgb": _rgb, "LdrColor": _rgb, "distance_to_image_plane": _plane, "distance_to_camera": _camera, "normals": _normals,
           "motion_vectors": _motion, "semantic_segmentation": _semantic, "instance_segmentation": _instance,
           "instance_id_segmentation": _instance_id, "bounding_box_2d_tight": _box_2d("tight"),
           "bounding_box_2d_loose": _box_2d("loose"), "bounding_box_3d": _box_3d, "occlusion": _occlusion,
           "camera_params": _params}
