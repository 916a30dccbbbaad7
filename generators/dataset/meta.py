"""meta/ and the card: what a dataset is, written without clocks, host names or anything else that differs between runs.

Two steps. :func:`write_identity` runs before the first shard, so that a resumed run can tell whose folder it is in.
:func:`write_summary` runs after the last one and counts what is there, from the shards alone; so a run that was killed
and resumed ends with the same bytes as one that was not.
"""
from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generators.dataset import stats
from generators.dataset.card import card
from generators.dataset.rows import Row
from generators.dataset.schema import LIGHT, SCHEMA_VERSION, DatasetInfo
from generators.dataset.shards import check_shard, committed, damaged, file_digest, open_shard, shard_path, write_file
from scenes.errors import DatasetError, InvariantError, ResumeError
from scenes.family import Defect, Taxonomy

LIBRARIES = ("linetwin", "numpy", "scipy", "shapely", "trimesh", "moderngl", "pyarrow", "pillow")
FILES = ("recipe.yaml", "scene.yaml", "scene.usda", "acceptance.yaml", "import.yaml")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ShardEntry(_File):
    """One shard: its file, rows, bytes and SHA-256."""
    file: str = Field(pattern=r"^data/shard-\d{5,}\.parquet$")
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Info(_File):
    """meta/info.json. ``complete`` and what follows it are filled in at the end."""
    linetwin: str
    schema_version: int
    name: str
    recipe_digest: str
    scene: str
    scene_digest: str
    product_digest: str = Field(default="", description="of the scene's product alone; empty in datasets made before it was kept")
    board: str
    acceptance: str
    renderer: str
    renderer_build: str
    rgb: str
    license: str
    shard_size: int = Field(ge=1)
    versions: dict[str, str]
    units: dict[str, str]
    complete: bool = False
    samples: int = 0
    frames: int = 0
    modalities: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    shards: tuple[ShardEntry, ...] = ()


UNITS = {"time_ns": "ns of the simulated clock", "depth": "m along the optical axis, +inf where nothing is",
         "normal": "1, camera frame, at most 0.4 degrees off", "instance": "id, 0 is background, 1 the board",
         "part": "class, see part_classes in taxonomy.json", "rgb": "sRGB, 8 bit", "pixel_size": "m on the object",
         "pose": "m, camera to board, row-major 4 x 4", "box": "px, x y w h, half open"}


def versions() -> dict[str, str]:
    """Versions of what the bytes depend on."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


# ------------------------------------------------------------------------------------------------ writing

def write_identity(root: Path, info: DatasetInfo, files: Mapping[str, str]) -> None:
    """Write what is known before the first shard: info.json, taxonomy.json and the texts of recipe and scene.

    Args:
        root: The dataset's folder.
        info: What is true of every shard.
        files: Names in meta/ (of ``FILES``) and their text.

    Raises:
        ResumeError: the folder holds a dataset of another recipe; both digests are in the message.
        DatasetError: the folder holds something else that this would overwrite.
        StorageError: the target cannot take it.
    """
    root = Path(root)
    if unknown := set(files) - set(FILES):
        raise InvariantError(f"meta: {', '.join(sorted(unknown))} is none of {', '.join(FILES)}; this is a bug, please report it")
    if (root / "meta" / "info.json").exists():
        check_resume(root, info)
    else:
        taken = [p for p in (root / "README.md", *sorted((root / "data").glob("[!.]*")), *sorted((root / "meta").glob("[!.]*")))
                 if p.exists()]
        if taken:
            raise DatasetError(f"{root}: holds '{taken[0].relative_to(root)}' but is not a dataset of ours; "
                               "choose a new or empty folder")
    write_file(root / "meta" / "info.json", _json(_info(info).model_dump(mode="json")))
    write_file(root / "meta" / "taxonomy.json", _json(_taxonomy(info)))
    for name in sorted(files):
        write_file(root / "meta" / name, files[name])


def write_summary(root: Path, info: DatasetInfo, samples: int, *, asked: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Count what is there and write stats.json, info.json and the card.

    Args:
        root: The dataset's folder, every shard committed.
        info: What is true of every shard.
        samples: How many samples there must be.
        asked: What the recipe asked for, each ``{"defect", "count"}`` with ``"low"`` and ``"high"`` [unit of the
            taxonomy] where a severity was asked; delivered counts are added.

    Returns:
        The statistics, as in stats.json.

    Raises:
        DatasetError: a shard is missing, damaged or of another recipe.
    """
    root = Path(root)
    if gaps := missing(root, info, samples):
        raise DatasetError(f"{root}: {len(gaps)} shards are missing, first {shard_path(root, gaps[0]).name}; run generate again")
    entries, counter = [], stats.Counter(info.taxonomy)
    for shard in sorted(committed(root)):
        path = shard_path(root, shard)
        for row in _light_rows(path):
            counter.add(row)
        entries.append(ShardEntry(file=f"data/{path.name}", rows=shard_rows(info, shard, samples), bytes=path.stat().st_size,
                                  sha256=file_digest(path)))
    result = counter.result(asked)
    complete = _info(info).model_copy(update={
        "complete": True, "samples": samples, "frames": result["frames"], "modalities": tuple(result["modalities"]),
        "labels": tuple(result["labels"]), "shards": tuple(entries)})
    write_file(root / "meta" / "stats.json", _json(result))
    write_file(root / "README.md", card(complete, info.taxonomy, result))
    write_file(root / "meta" / "info.json", _json(complete.model_dump(mode="json")))
    return result


def write_meta(root: Path, info: DatasetInfo, files: Mapping[str, str], samples: int, *,
               asked: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Both steps at once, for datasets that are made in one go. Returns the statistics."""
    write_identity(root, info, files)
    return write_summary(root, info, samples, asked=asked)


# ------------------------------------------------------------------------------------------------ resume

def shard_rows(info: DatasetInfo, shard: int, samples: int) -> int:
    """Rows that a shard has in a dataset of so many samples."""
    return max(0, min(info.shard_size, samples - shard * info.shard_size))


def missing(root: Path, info: DatasetInfo, samples: int) -> list[int]:
    """Shards still to be made, in order: those that are not there, and a short last one of a smaller run.

    Raises:
        ResumeError: the folder holds more samples than are asked for.
        DatasetError: a shard is damaged or of another recipe.
    """
    present = committed(root)
    wanted = range(-(-samples // info.shard_size))
    if extra := present - set(wanted):
        raise ResumeError(f"{root}: holds shard {max(extra)}, which a dataset of {samples} samples does not have; "
                          "raise the count, or choose a new folder")
    todo = []
    for shard in wanted:
        if shard not in present:
            todo.append(shard)
            continue
        path, rows = shard_path(root, shard), shard_rows(info, shard, samples)
        count = check_shard(path, info)
        if count > rows:
            raise ResumeError(f"{path}: holds {count} samples, a dataset of {samples} has {rows} there; "
                              "raise the count, or choose a new folder")
        if count < rows:
            todo.append(shard)
    return todo


def check_resume(root: Path, info: DatasetInfo) -> None:
    """Raise ResumeError unless the dataset in ``root`` was made from the same recipe, shard size and renderer.

    As long as no shard is committed no renderer has made anything: a run that one could not even begin goes on with another.
    """
    there = read_info(root)
    pixels = ("renderer", "renderer_build") if committed(root) else ()
    if there.recipe_digest != info.recipe_digest:
        raise ResumeError(f"{root}: was made from recipe {there.recipe_digest}, this one is {info.recipe_digest}; "
                          "choose a new folder")
    for name in ("shard_size", "rgb", *pixels):
        old, new = getattr(there, name), getattr(info, name)
        if old != new:
            raise ResumeError(f"{root}: was made with {name} {old!r}, this run has {new!r}; use the same, or choose a new folder")


# ------------------------------------------------------------------------------------------------ reading

def read_info(root: Path) -> Info:
    """meta/info.json, checked. Raises DatasetError."""
    path = Path(root) / "meta" / "info.json"
    data = _read_json(path)
    if data.get("schema_version") != SCHEMA_VERSION:
        raise DatasetError(f"{path}: schema version {data.get('schema_version')!r}, this linetwin reads {SCHEMA_VERSION}; "
                           "install the version that made it")
    try:
        return Info.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DatasetError(f"{path}: {where}: {first['msg']}; run generate again to write it anew") from None


def read_taxonomy(root: Path) -> Taxonomy:
    """meta/taxonomy.json as a Taxonomy. Raises DatasetError."""
    path = Path(root) / "meta" / "taxonomy.json"
    data = _read_json(path)
    try:
        categories = sorted(data["categories"], key=lambda c: c["id"])
        defects = tuple(Defect(c["name"], c["title"], c["severity"], c["severity_unit"],
                               tuple((float(a), float(b)) for a, b in c["severity_levels"]), tuple(c["hidden_from"]))
                        for c in categories if c["kind"] == "defect")
        parts = tuple(c["name"] for c in categories if c["kind"] == "part")
        if [c["id"] for c in categories] != list(range(1, len(categories) + 1)):
            raise ValueError("category ids are not 1, 2, 3 …")
        return Taxonomy(defects, parts)
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path}: not a taxonomy ({error}); run generate again to write it anew") from None


def read_stats(root: Path) -> dict[str, Any] | None:
    """meta/stats.json, or None while the dataset is not finished."""
    path = Path(root) / "meta" / "stats.json"
    return _read_json(path) if path.exists() else None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > 256 << 20:
            raise DatasetError(f"{path}: is {path.stat().st_size >> 20} MB; that is not a file of ours")
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DatasetError(f"{path}: missing; give the folder of a dataset, one with meta/info.json") from None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); run generate again to write it anew") from None
    if not isinstance(data, dict):
        raise DatasetError(f"{path}: not an object; run generate again to write it anew")
    return data


# ------------------------------------------------------------------------------------------------ pieces

def _info(info: DatasetInfo) -> Info:
    made = versions()
    return Info(linetwin=made["linetwin"], schema_version=SCHEMA_VERSION, name=info.name, recipe_digest=info.recipe_digest,
                scene=info.scene, scene_digest=info.scene_digest, product_digest=info.product_digest, board=info.board,
                acceptance=info.acceptance, renderer=info.renderer, renderer_build=info.renderer_build, rgb=info.rgb,
                license=info.license, shard_size=info.shard_size, versions=made, units=UNITS)


def _taxonomy(info: DatasetInfo) -> dict[str, Any]:
    from scenes.geometry import PartKind

    defects = [{"id": i, "kind": "defect", "name": d.name, "title": d.title, "severity": d.severity,
                "severity_unit": d.severity_unit, "severity_levels": [list(level) for level in d.severity_levels],
                "hidden_from": list(d.hidden_from)}
               for i, d in enumerate(info.taxonomy.defects, 1)]
    parts = [{"id": i, "kind": "part", "name": name} for i, name in enumerate(info.taxonomy.parts, 1 + len(defects))]
    return {"acceptance": info.acceptance, "categories": [*defects, *parts],
            "part_classes": {str(int(k)): k.name.lower() for k in PartKind}}


def _light_rows(path: Path) -> Any:
    """Rows without pixels; of pictures and labels only their names."""
    columns = [*LIGHT, "images.list.element.modality", "labels.list.element.name"]
    with open_shard(path) as file:
        for group in range(file.num_row_groups):
            yield from _rows(file, path, group, columns)


def _rows(file: pq.ParquetFile, path: Path, group: int, columns: list[str]) -> list[Row]:
    try:
        table = file.read_row_group(group, columns=columns, use_threads=False)
        return [Row(data, f"{path}: row group {group}") for data in table.to_pylist()]
    except (OSError, ValueError) as error:
        raise damaged(path, error) from None


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


__all__ = ["FILES", "Info", "ShardEntry", "check_resume", "missing", "read_info", "read_stats", "read_taxonomy", "shard_rows",
           "write_identity", "write_meta", "write_summary"]
