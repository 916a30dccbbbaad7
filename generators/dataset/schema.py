"""The columns of a shard, and one Sample as one row of them.

Version 1. Adding a column raises the minor thing only readers see (they take what they know); changing or removing one
raises ``SCHEMA_VERSION``, and readers refuse what they do not know. Times are integers [ns] of the simulated clock, all
other quantities SI. Pictures are ``struct<bytes, path>``, the form that Hugging Face ``datasets`` decodes by itself.
"""
from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generators.dataset.sample import Frame, Instance, Sample
from generators.encoding import jpeg_encode, label_encode, png_encode
from generators.masks import Box, box, rle_encode, rle_measure
from scenes.errors import InvariantError
from scenes.family import Taxonomy

SCHEMA_VERSION = 1

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])

IMAGES = pa.struct([
    ("frame", pa.int32()), ("camera", pa.string()), ("modality", pa.string()), ("encoding", pa.string()), ("image", _IMAGE),
    ("width", pa.int32()), ("height", pa.int32()),
    ("unit", pa.string()), ("low", pa.float64()), ("high", pa.float64()),         # quantity at code 0 and at full code
])
FRAMES = pa.struct([
    ("camera", pa.string()), ("station", pa.string()), ("width", pa.int32()), ("height", pa.int32()), ("view", pa.string()),
])
INSTANCES = pa.struct([
    ("frame", pa.int32()), ("category_id", pa.int32()), ("category", pa.string()), ("defect", pa.string()),
    ("severity", pa.float64()), ("severity_unit", pa.string()), ("component", pa.string()), ("pads", pa.list_(pa.string())),
    ("ids", pa.list_(pa.int64())),
    ("rle", pa.string()), ("visible_pixels", pa.int64()), ("amodal_rle", pa.string()), ("amodal_pixels", pa.int64()),
    ("hidden", pa.bool_()), ("rule", pa.string()),
    ("measured", pa.list_(pa.struct([("name", pa.string()), ("value", pa.float64())]))),
])
LABELS = pa.struct([
    ("frame", pa.int32()), ("name", pa.string()), ("unit", pa.string()), ("encoding", pa.string()), ("dtype", pa.string()),
    ("shape", pa.list_(pa.int32())), ("bytes", pa.binary()),
])
TRACES = pa.struct([
    ("channel", pa.string()), ("unit", pa.string()), ("sample_rate", pa.float64()), ("start_ns", pa.int64()),
    ("values", pa.list_(pa.float32())),
])
LOGS = pa.struct([("time_ns", pa.int64()), ("source", pa.string()), ("text", pa.string())])

COLUMNS = pa.schema([
    ("id", pa.string()), ("index", pa.int64()), ("unit", pa.string()), ("split", pa.string()), ("time_ns", pa.int64()),
    ("frames", pa.list_(FRAMES)), ("images", pa.list_(IMAGES)), ("instances", pa.list_(INSTANCES)),
    ("labels", pa.list_(LABELS)), ("traces", pa.list_(TRACES)), ("logs", pa.list_(LOGS)), ("conditions", pa.string()),
])
LIGHT = ("id", "index", "unit", "split", "time_ns", "frames", "instances", "conditions")   # everything that is not pixels

QUANTITIES = {                                 # modality: unit, quantity at code 0 and at full code
    "rgb": ("sRGB", 0.0, 1.0), "xray": ("counts", 0.0, 65535.0),
    "thermal": ("K", 0.0, 655.35),             # what the camera digitises: steps of 10 mK, a quarter of its noise
}
LABEL_UNITS = {"instance": "id", "part": "class", "depth": "m", "normal": "1"}
SPLITS = ("train", "val", "test")
IMPORTED = "imported"                          # DatasetInfo.renderer of what another tool rendered


@dataclass(frozen=True)
class DatasetInfo:
    """What is true of every shard of a dataset. The same for every worker.

    ``recipe_digest`` is the SHA-256 of what determines samples: the resolved recipe without counts, outputs and
    execution settings. ``versions`` and ``renderer_build`` say what made the bytes.
    """
    name: str
    recipe_digest: str
    taxonomy: Taxonomy
    shard_size: int                            # samples per shard; shard k holds indices [k · shard_size, (k + 1) · shard_size)
    renderer: str = "gl"
    renderer_build: str = ""
    acceptance: str = "class2"                 # acceptance profile
    scene: str = ""                            # its name
    scene_digest: str = ""
    product_digest: str = ""
    board: str = ""                            # its name
    rgb: Literal["png", "jpeg"] = "png"        # jpeg only where the recipe says so
    quality: int = 95
    license: str = "CC-BY-4.0"

    def schema(self) -> pa.Schema:
        """The arrow schema with its metadata: linetwin's own and the one that Hugging Face ``datasets`` looks for."""
        return COLUMNS.with_metadata({
            "linetwin": canonical({"schema_version": SCHEMA_VERSION, "recipe_digest": self.recipe_digest}),
            "huggingface": json.dumps({"info": {"features": features(COLUMNS)}}),     # order of the keys = order of the fields
        })


def features(schema: pa.Schema) -> dict[str, Any]:
    """Hugging Face features of an arrow schema; ``struct<bytes, path>`` is a picture."""
    def of(kind: pa.DataType) -> Any:
        if kind == _IMAGE:
            return {"_type": "Image"}
        if pa.types.is_list(kind):
            return {"feature": of(kind.value_type), "_type": "List"}
        if pa.types.is_struct(kind):
            return {field.name: of(field.type) for field in kind}
        return {"dtype": {"double": "float64", "float": "float32"}.get(str(kind), str(kind)), "_type": "Value"}
    return {field.name: of(field.type) for field in schema}


def canonical(value: Any) -> str:
    """JSON with one spelling: sorted keys, no spaces, numpy scalars as numbers. Raises ValueError for NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


def bug(text: str) -> InvariantError:
    """A contradiction that no input can cause."""
    return InvariantError(f"{text}; this is a bug, please report it")


def row(sample: Sample, info: DatasetInfo) -> dict[str, Any]:
    """A sample as one row. Raises InvariantError with its id where its labels contradict each other."""
    where = f"sample {sample.id} (index {sample.index})"
    if sample.split not in SPLITS:
        raise bug(f"{where}: split '{sample.split}' is none of {', '.join(SPLITS)}")
    try:
        conditions = canonical(dict(sample.conditions))
    except (TypeError, ValueError) as error:
        raise bug(f"{where}: conditions cannot be stored as JSON ({error})") from None
    for item in sample.instances:
        if not 0 <= item.frame < len(sample.frames):
            raise bug(f"{where}: {item.category} on '{item.component}': mask does not belong to a frame of this sample")
    frames, images, instances, labels = ([], [], [], [])  # type: tuple[list[Any], list[Any], list[Any], list[Any]]
    for i, (frame, found) in enumerate(sample.taken()):            # one at a time: a clip's arrays are not held together
        try:
            view = canonical(dict(frame.view))
        except (TypeError, ValueError) as error:
            raise bug(f"{where}: the view of frame {i} cannot be stored as JSON ({error})") from None
        height, width = size = _size(frame, where)
        frames.append({"camera": frame.camera, "station": frame.station, "width": width, "height": height, "view": view})
        images += [_image(sample.id, i, frame, name, frame.images[name], info) for name in sorted(frame.images)]
        instances += [_instance(x, i, size, info.taxonomy, where) for x in found]
        labels += [_label(i, name, frame.labels[name]) for name in sorted(frame.labels)]
    return {
        "id": sample.id, "index": sample.index, "unit": sample.unit, "split": sample.split, "time_ns": sample.time_ns,
        "frames": frames, "images": images, "instances": instances, "labels": labels,
        "traces": [{"channel": t["channel"], "unit": t["unit"], "sample_rate": float(t["sample_rate"]),
                    "start_ns": int(t["start_ns"]), "values": np.asarray(t["values"], np.float32)} for t in sample.traces],
        "logs": [{"time_ns": int(t["time_ns"]), "source": t["source"], "text": t["text"]} for t in sample.logs],
        "conditions": conditions,
    }


def _size(frame: Frame, where: str) -> tuple[int, int]:
    shapes = {a.shape[:2] for a in (*frame.images.values(), *frame.labels.values())}
    if len(shapes) != 1:
        raise bug(f"{where}: frame '{frame.camera}' has arrays of {len(shapes)} sizes")
    return shapes.pop()


def _image(sample_id: str, index: int, frame: Frame, modality: str, array: Any, info: DatasetInfo) -> dict[str, Any]:
    if modality not in QUANTITIES:
        raise bug(f"sample {sample_id}: modality '{modality}' is none of {', '.join(QUANTITIES)}")
    unit, low, high = QUANTITIES[modality]
    lossy = modality == "rgb" and info.rgb == "jpeg"
    if array.dtype == np.float32:
        array = _codes(array, low, high, f"sample {sample_id}: {modality}")
    data = jpeg_encode(array, info.quality) if lossy else png_encode(array)
    kind = "jpeg" if lossy else "png"
    return {"frame": index, "camera": frame.camera, "modality": modality, "encoding": kind,
            "image": {"bytes": data, "path": f"{sample_id}-{index}-{modality}.{'jpg' if lossy else kind}"},
            "width": array.shape[1], "height": array.shape[0], "unit": unit, "low": low, "high": high}


def _codes(array: NDArray[np.float32], low: float, high: float, what: str) -> NDArray[np.uint16]:
    """A quantity as 16-bit codes, rounded. Raises InvariantError where it does not fit."""
    if not (array.min() >= low and array.max() <= high):                   # both are NaN where any pixel is
        raise bug(f"{what}: not finite, or outside {low:g} to {high:g}")
    codes = array - np.float32(low)
    codes *= np.float32(65535 / (high - low))
    return np.rint(codes, out=codes).astype(np.uint16)


def _label(index: int, name: str, array: Any) -> dict[str, Any]:
    encoding, dtype, shape, data = label_encode(name, array)
    return {"frame": index, "name": name, "unit": LABEL_UNITS.get(name, ""), "encoding": encoding, "dtype": dtype,
            "shape": list(shape), "bytes": data}


def _instance(item: Instance, frame: int, size: tuple[int, int], taxonomy: Taxonomy, where: str) -> dict[str, Any]:
    what = f"{where}: {item.category} on '{item.component}'"
    if item.frame != frame or any(m.shape != size for m in (item.visible, item.amodal)):
        raise bug(f"{what}: mask does not belong to a frame of this sample")
    visible = _mask(item.visible, item.within, what)
    amodal = visible if item.amodal is item.visible else _mask(item.amodal, item.within, what)
    if amodal.box is None:
        raise bug(f"{what}: has no pixel, not even a hidden one")
    if item.hidden != (visible.box is None):
        raise bug(f"{what}: 'hidden' contradicts its mask")
    if visible.box is not None and amodal is not visible:
        x, y, w, h = visible.box
        if (item.visible[y:y + h, x:x + w] & ~item.amodal[y:y + h, x:x + w]).any():
            raise bug(f"{what}: visible pixels outside the amodal mask")
    return {
        "frame": item.frame, "category_id": taxonomy.category_id(item.category), "category": item.category, "defect": item.defect,
        "severity": item.severity, "severity_unit": item.severity_unit, "component": item.component, "pads": list(item.pads),
        "ids": [int(i) for i in item.ids], "rle": visible.text, "visible_pixels": visible.pixels,
        "amodal_rle": amodal.text, "amodal_pixels": amodal.pixels, "hidden": item.hidden, "rule": item.rule,
        "measured": [{"name": k, "value": float(v)} for k, v in sorted(item.measured.items())],
    }


class _Mask(NamedTuple):
    text: str                                  # run lengths
    pixels: int
    box: Box | None


def _mask(mask: NDArray[np.bool_], within: Box | None, what: str) -> _Mask:
    """A mask as it is stored; its run lengths are read back and must say the same."""
    within = box(mask, within)
    pixels = int(np.count_nonzero(mask[within[1]:within[1] + within[3]])) if within else 0
    rle = rle_encode(mask, within)
    if rle_measure(rle) != (pixels, within):
        raise bug(f"{what}: mask, box and area disagree")
    return _Mask(rle["counts"], pixels, within)


def severity_level(taxonomy: Taxonomy, defect: str, severity: float) -> int:
    """1 for the mildest level, 2, 3 …; 0 where the defect is all or nothing, −1 where no level holds this severity."""
    levels: Mapping[str, Any] = {d.name: d.severity_levels for d in taxonomy.defects}
    spans = levels.get(defect, ())
    if not spans or math.isnan(severity):
        return 0
    return next((i for i, (low, high) in enumerate(spans, 1) if low <= severity <= high), -1)


__all__ = ["COLUMNS", "IMPORTED", "LIGHT", "SCHEMA_VERSION", "SPLITS", "DatasetInfo", "bug", "canonical", "features", "row",
           "severity_level"]
