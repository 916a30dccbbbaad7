"""A Hugging Face detection dataset: one row a frame, one Parquet file a split, a card that names them.

``datasets.load_dataset(out)`` opens it without a script: ``image`` is a picture, ``objects`` holds boxes [x, y, w, h],
category ids with their names, areas and run lengths in the form that the hub's object detection examples read.
(The dataset's own folder opens with ``load_dataset`` too; it has every label, one row a sample.)
"""
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from generators.dataset.schema import bug
from generators.exports import ExportReport, frames, write_bytes

if TYPE_CHECKING:
    from generators.dataset.reader import Dataset
    from generators.dataset.rows import Labelled

_GROUP = 32                                    # rows per row group
_HF_SPLITS = {"val": "validation"}
_OBJECTS = {
    "bbox": pa.list_(pa.list_(pa.float32())), "category": pa.list_(pa.int64()), "area": pa.list_(pa.int64()),
    "component": pa.list_(pa.string()), "severity": pa.list_(pa.float64()), "rle": pa.list_(pa.string()),
}
_COLUMNS = pa.schema([
    ("image_id", pa.string()), ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("width", pa.int64()),
    ("height", pa.int64()), ("unit", pa.string()), ("defective", pa.bool_()), ("objects", pa.struct(list(_OBJECTS.items()))),
])


def export(dataset: Dataset, out: Path, *, split: str | None = None, defects_only: bool = False) -> ExportReport:
    """Write Parquet files and a card, and read them back with ``datasets`` where it is installed.

    Args:
        dataset: What to export.
        out: The folder to fill, there and empty.
        split: Only this split.
        defects_only: Leave parts without a defect out.
    """
    names = [d.name for d in dataset.taxonomy.defects] + list(dataset.taxonomy.parts)
    schema = _COLUMNS.with_metadata({"huggingface": json.dumps({"info": {"features": _features(names)}})})
    left_out = {"hidden": 0, "parts without a defect": 0}
    samples: set[str] = set()
    counts: dict[str, list[int]] = {}
    writers: dict[str, pq.ParquetWriter] = {}
    pending: dict[str, list[dict[str, Any]]] = {}
    (out / "data").mkdir()
    try:
        for row, number, stem, instances in frames(dataset, split):
            name = _HF_SPLITS.get(row.split, row.split)
            if name not in writers:
                writers[name] = pq.ParquetWriter(out / "data" / f"{name}-00000-of-00001.parquet", schema, version="2.6",
                                                 compression="zstd", compression_level=1, use_dictionary=False)
            keep = [i for i in instances if not i.hidden and (i.defect or not defects_only)]
            left_out["hidden"] += sum(i.hidden for i in instances)
            left_out["parts without a defect"] += sum(not i.hidden and not i.defect for i in instances) if defects_only else 0
            view = row.frames[number]
            data = row.image_bytes("rgb", number)
            pending.setdefault(name, []).append({
                "image_id": stem, "image": {"bytes": data, "path": stem + (".jpg" if data[:2] == b"\xff\xd8" else ".png")},
                "width": view.width, "height": view.height, "unit": row.unit, "defective": any(i.defect for i in instances),
                "objects": _objects(keep)})
            if len(pending[name]) == _GROUP:
                writers[name].write_table(pa.Table.from_pylist(pending.pop(name), schema))
            samples.add(row.id)
            count = counts.setdefault(name, [0, 0])
            count[0] += 1
            count[1] += len(keep)
        for name, rows in pending.items():
            writers[name].write_table(pa.Table.from_pylist(rows, schema))
    except OSError as error:
        from generators.dataset.shards import storage_error

        raise storage_error(out, error) from error
    finally:
        for writer in writers.values():
            writer.close()
    write_bytes(out / "README.md", _card(dataset, counts).encode())
    verified = _read_back(out, counts)
    images, objects = (sum(c[i] for c in counts.values()) for i in (0, 1))
    return ExportReport("hf", str(out), len(samples), images, objects, left_out, verified=verified)


def _objects(items: list[Labelled]) -> dict[str, list[Any]]:
    return {"bbox": [[float(v) for v in i.box or ()] for i in items], "category": [i.category_id - 1 for i in items],
            "area": [i.visible_pixels for i in items], "component": [i.component for i in items],
            "severity": [None if math.isnan(i.severity) else i.severity for i in items], "rle": [i.rle["counts"] for i in items]}


def _features(names: list[str]) -> dict[str, Any]:
    def value(dtype: str) -> dict[str, Any]:
        return {"dtype": dtype, "_type": "Value"}

    def several(feature: Any, length: int = -1) -> dict[str, Any]:
        return {"feature": feature, "_type": "List", **({"length": length} if length > 0 else {})}

    return {"image_id": value("string"), "image": {"_type": "Image"}, "width": value("int64"), "height": value("int64"),
            "unit": value("string"), "defective": value("bool"), "objects": {
                "bbox": several(several(value("float32"))), "category": several({"names": names, "_type": "ClassLabel"}),
                "area": several(value("int64")), "component": several(value("string")), "severity": several(value("float64")),
                "rle": several(value("string"))}}


def _card(dataset: Dataset, counts: dict[str, list[int]]) -> str:
    files = "".join(f"  - split: {name}\n    path: data/{name}-*.parquet\n" for name in sorted(counts))
    rows = "".join(f"| {name} | {n} | {m} |\n" for name, (n, m) in sorted(counts.items()))
    return (f"---\npretty_name: {json.dumps(dataset.info.name)}\nlicense: {dataset.info.license.lower()}\n"
            "task_categories: [object-detection]\ntags: [synthetic, manufacturing, defect-detection]\n"
            f"configs:\n- config_name: default\n  data_files:\n{files}---\n# {dataset.info.name}\n\n"
            f"Synthetic inspection pictures of the board {dataset.info.board}, one row a frame, exported by linetwin\n"
            f"{dataset.info.linetwin} from recipe `{dataset.info.recipe_digest}`. Boxes are [x, y, w, h] in pixels; `rle` is a\n"
            "COCO run length of the visible mask.\n\n"
            f"| split | frames | objects |\n| --- | --- | --- |\n{rows}")


def _read_back(out: Path, counts: dict[str, list[int]]) -> str:
    """Load with ``datasets`` and compare counts. Returns what read it, or ""."""
    try:
        import datasets
    except ImportError:
        return ""
    import tempfile

    with tempfile.TemporaryDirectory() as cache:
        bars = datasets.is_progress_bar_enabled()
        datasets.disable_progress_bars()
        try:
            loaded = datasets.load_dataset(str(out), cache_dir=cache)
            for name, (images, objects) in counts.items():
                boxes = loaded[name].select_columns(["objects"])
                if len(boxes) != images or sum(len(r["objects"]["bbox"]) for r in boxes) != objects:
                    raise bug(f"export hf: datasets reads other counts in '{name}' than were written")
        finally:
            if bars:
                datasets.enable_progress_bars()
    return f"datasets {datasets.__version__}"


__all__ = ["export"]
