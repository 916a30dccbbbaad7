"""One view of a Replicator folder as a frame of ours: picture, masks, depth, camera, and the boxes that have no mask."""
from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators.dataset.sample import Frame, Instance
from generators.imports.camera import camera_view
from generators.imports.files import finite, read_array, read_json, read_object, read_picture
from generators.imports.layout import View
from generators.imports.names import Naming, class_name, prim_path
from generators.imports.segmentation import Segmented, segmented, source_of
from generators.masks import Piece, pasted
from scenes.errors import DatasetError

BOXES = ("bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d")
_FIELDS = {
    "2d": ("semanticId", "x_min", "y_min", "x_max", "y_max"),
    "3d": ("semanticId", "x_min", "y_min", "z_min", "x_max", "y_max", "z_max", "transform"),
}
FIRST_ID = 2                                   # in the dense "instance" label 0 is background and 1 is kept for a board


@dataclass
class Register:
    """Names of things → ids of the dense label, the same in every frame of one sample."""
    ids: dict[str, int] = field(default_factory=dict)

    def id(self, name: str) -> int:
        return self.ids.setdefault(name, FIRST_ID + len(self.ids))


@dataclass(frozen=True, eq=False)
class Imported:
    """A frame and what was found in it."""
    frame: Frame
    instances: Iterable[Instance]              # taken once: one mask at a time is in memory
    categories: tuple[str, ...]                # one per instance
    unseen: tuple[str, ...]                    # ids that a mapping names and no pixel shows
    boxes: int                                 # boxes and objects without a mask; they are in the frame's view


def read_view(folder: Path, view: View, number: int, register: Register, *, naming: Naming, defects: Collection[str],
              more: Mapping[str, Any]) -> Imported:
    """Read one view that has a picture.

    Args:
        number: Of the frame in its sample.
        naming: How labels become categories.
        defects: Categories that are defects; all others are parts.
        more: Added to the frame's view.

    Raises:
        DatasetError: a file is damaged, or files of the frame contradict each other; names file and frame.
    """
    rgb = _rgb(folder / view.files["rgb.png"])
    height, width = rgb.shape[:2]
    labels: dict[str, NDArray[Any]] = {}
    found = segmented(folder, view, naming)
    if found is not None:
        _same_size(found.ids, rgb, folder / view.files[f"{source_of(view)}.png"], view)
    boxes = {kind: _boxes(folder, view, kind, (width, height)) for kind in BOXES if f"{kind}.npy" in view.files}
    instances: Iterable[Instance] = ()
    if found is not None:
        labels["instance"] = _dense(found, register)
        instances = _instances(found, register, number, defects, boxes)
        _boxes_have_pixels(folder, view, found, boxes)
    if "distance_to_image_plane.npy" in view.files:
        labels["depth"] = _depth(folder / view.files["distance_to_image_plane.npy"], rgb, view)
    extra: dict[str, Any] = {"width": width, "height": height, "frame": view.frame, **more}
    if "camera_params.json" in view.files:
        path = folder / view.files["camera_params.json"]
        extra |= camera_view(read_object(path), str(path), (width, height), view.frame)
    loose = {kind: rows for kind, rows in boxes.items() if rows and not (kind != "bounding_box_3d" and found is not None)}
    extra |= loose
    count = max((len(rows) for rows in loose.values()), default=0)
    if "pose.json" in view.files:
        pose = _pose(folder / view.files["pose.json"], view)
        extra |= pose
        count = max(count, len(pose["objects"]))
    frame = Frame(view.camera, "imported", {"rgb": rgb}, labels, extra)
    if found is None:
        return Imported(frame, (), (), (), count)
    return Imported(frame, instances, tuple(t.category for t in found.things), found.unseen, count)


def _rgb(path: Path) -> NDArray[np.uint8]:
    """uint8 (H, W, 3): alpha is dropped, grey repeated."""
    picture = read_picture(path)
    if picture.dtype != np.uint8:
        raise DatasetError(f"{path}: has more than 8 bits a channel; write rgb as an 8-bit PNG or JPEG")
    if picture.ndim == 2:
        return np.repeat(picture[..., None], 3, axis=2)
    return np.ascontiguousarray(picture[..., :3])


def _same_size(array: NDArray[Any], rgb: NDArray[np.uint8], path: Path, view: View) -> None:
    if array.shape[:2] != rgb.shape[:2]:
        raise DatasetError(f"{path}: frame {view.frame} is {array.shape[1]} × {array.shape[0]} pixels, its picture "
                           f"{rgb.shape[1]} × {rgb.shape[0]}; they are of different runs")


def _depth(path: Path, rgb: NDArray[np.uint8], view: View) -> NDArray[np.float32]:
    """float32 (H, W) [m] along the optical axis, +inf where nothing is, as Replicator's distance_to_image_plane."""
    depth = read_array(path)
    if depth.ndim == 3 and depth.shape[2] == 1:
        depth = depth[..., 0]
    if depth.ndim != 2 or depth.dtype.kind != "f":
        raise DatasetError(f"{path}: {depth.dtype} {depth.shape} is no depth, which is float (H, W) [m]; write the frame again")
    _same_size(depth, rgb, path, view)
    if np.isnan(depth).any():
        raise DatasetError(f"{path}: frame {view.frame} has depths that are not a number; write the frame again")
    return depth.astype(np.float32)


def _dense(found: Segmented, register: Register) -> NDArray[np.uint32]:
    values = np.array(sorted({0, *found.names}), np.uint32)
    ours = np.array([register.id(found.names[int(i)]) if i else 0 for i in values], np.uint32)
    return ours[np.searchsorted(values, found.ids)]


def _instances(found: Segmented, register: Register, number: int, defects: Collection[str],
               boxes: Mapping[str, list[dict[str, Any]]]) -> Iterator[Instance]:
    tight = boxes.get("bounding_box_2d_tight", ())
    ratio = {b["prim"]: b["occlusion_ratio"] for b in tight if b["prim"] and "occlusion_ratio" in b}
    for thing in found.things:
        mask, within = pasted([_piece(found, cell) for cell in thing.cells], found.ids.shape)
        measured = {"occlusion_ratio": ratio[thing.path]} if thing.path in ratio else {}
        defect = thing.category if thing.category in defects else ""
        ids = tuple(sorted({register.id(found.names[c]) for c in thing.cells}))
        yield Instance(number, thing.category, defect, thing.component, (), math.nan, "", mask, mask, False,
                       f"imported from {thing.source}", measured, ids, within)


def _piece(found: Segmented, cell: int) -> Piece:
    rows, columns = found.boxes[cell]
    return (columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start), found.ids[rows, columns] == cell


def _boxes(folder: Path, view: View, kind: str, size: tuple[int, int]) -> list[dict[str, Any]]:
    """The rows of a box file, JSON-ready. 2D boxes become (x, y, w, h) [px], half open: Replicator's maximum is inclusive."""
    path = folder / view.files[f"{kind}.npy"]
    rows = read_array(path)
    need = _FIELDS[kind[13:15]]
    if rows.ndim != 1 or rows.dtype.names is None or (set(need) - set(rows.dtype.names)):
        raise DatasetError(f"{path}: frame {view.frame} is no {kind} of Replicator's; its fields are {', '.join(need)}")
    for name in rows.dtype.names:
        if name in (*need, "occlusionRatio") and not _fits(rows.dtype[name], name, kind):
            raise DatasetError(f"{path}: frame {view.frame} has {rows.dtype[name]} for {name}, which is no {kind} of "
                               "Replicator's; write the frame again")
    labels = read_json(folder / view.files[f"{kind}_labels.json"]) if f"{kind}_labels.json" in view.files else None
    prims = None
    if f"{kind}_prim_paths.json" in view.files:
        where = folder / view.files[f"{kind}_prim_paths.json"]
        prims = read_json(where)
        if not isinstance(prims, list) or len(prims) != len(rows):
            raise DatasetError(f"{where}: frame {view.frame} does not name {len(rows)} prims, as many as {path.name} has boxes; "
                               "they are of different runs")
        prims = [prim_path(p, str(where)) for p in prims]
    made = []
    for k, row in enumerate(rows):
        key = str(int(row["semanticId"]))
        if labels is not None and (not isinstance(labels, dict) or key not in labels):
            raise DatasetError(f"{path}: frame {view.frame} has a box of semantic id {key}, which its labels do not hold; "
                               "they are of different runs")
        item: dict[str, Any] = {"prim": prims[k] if prims is not None else "",
                                "category": class_name(labels[key], Naming(), str(path)) if labels is not None else ""}
        if kind == "bounding_box_3d":
            item["min"] = [_number(row[n], path) for n in ("x_min", "y_min", "z_min")]
            item["max"] = [_number(row[n], path) for n in ("x_max", "y_max", "z_max")]
            item["local_to_world"] = [_number(v, path) for v in np.asarray(row["transform"], np.float64).ravel()]
        else:
            x0, y0, x1, y1 = (int(row[n]) for n in need[1:])
            if x1 < x0 or y1 < y0 or (kind.endswith("tight") and (x0 < 0 or y0 < 0 or x1 >= size[0] or y1 >= size[1])):
                raise DatasetError(f"{path}: frame {view.frame} has the box ({x0}, {y0}) to ({x1}, {y1}) in a picture of "
                                   f"{size[0]} × {size[1]} pixels; write the frame again")
            item["box"] = [x0, y0, x1 - x0 + 1, y1 - y0 + 1]
        if "occlusionRatio" in rows.dtype.names:
            item["occlusion_ratio"] = _number(row["occlusionRatio"], path)
        made.append(item)
    return made


def _fits(dtype: np.dtype[Any], name: str, kind: str) -> bool:
    """Whether a field of a box file holds numbers of the sort that Replicator writes there."""
    if name == "transform":
        return dtype.shape == (4, 4) and dtype.base.kind == "f"
    whole = name == "semanticId" or (kind != "bounding_box_3d" and name != "occlusionRatio")
    return dtype.kind in ("iu" if whole else "iuf")


def _number(value: Any, path: Path) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise DatasetError(f"{path}: a number is {number}; write the frame again")
    return number


def _boxes_have_pixels(folder: Path, view: View, found: Segmented, boxes: Mapping[str, list[dict[str, Any]]]) -> None:
    """A tight box says that its prim is visible: the prim, or one below or above it, must have a pixel. Raises DatasetError.

    An object that shares every pixel with others has no prim path in the mapping; as many boxes may be without one.
    """
    paths = {t.path for t in found.things if t.path}
    if not paths:
        return
    prims = [b["prim"] for b in boxes.get("bounding_box_2d_tight", ()) if b["prim"] and b["category"]]
    wanted = set(prims)                        # only these are kept of all that lies above a path: memory stays that of the files
    around = {above for path in paths for above in _upwards(path) if above in wanted}
    lost = [prim for prim in prims if prim not in around and not any(above in paths for above in _upwards(prim))]
    if len(lost) > sum(not t.path for t in found.things):
        where = folder / view.files["bounding_box_2d_tight.npy"]
        raise DatasetError(f"{where}: frame {view.frame} has a box around {lost[-1][:200]}, of which no pixel is in the "
                           "segmentation; they are of different runs")


def _upwards(path: str) -> Iterator[str]:
    """A prim path and every one above it."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _pose(path: Path, view: View) -> dict[str, Any]:
    """What PoseWriter says, as it says it. Raises DatasetError."""
    data = read_object(path)
    objects = data.get("objects")
    if not isinstance(objects, list) or not all(isinstance(o, dict) for o in objects):
        raise DatasetError(f"{path}: frame {view.frame} has no list 'objects'; a PoseWriter writes one")
    found = {"objects": objects, "keypoint_order": data.get("keypoint_order", []), "camera_data": data.get("camera_data", {})}
    return {key: finite(value) for key, value in found.items()}


__all__ = ["BOXES", "FIRST_ID", "Imported", "Register", "read_view"]
