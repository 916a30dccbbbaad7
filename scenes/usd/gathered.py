"""The files that a scene names, gathered into one folder: each where the scene has it, or in ``files/<n>`` of its own."""
from __future__ import annotations

import os.path
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from scenes.errors import AssetError, SceneError
from scenes.scene import STAGES, Scene

FOLDER, NAME, MOVED = "authored", "scene.yaml", "files"
FILES_MOST = 256 * 2 ** 20                     # [bytes] of the files, together


@dataclass(frozen=True)
class _Named:
    """Something that a scene names by a path."""
    written: str                               # as it stands in the file
    source: Path                               # where that is
    files: Mapping[Path, Path]                 # where a file has to lie, if the source stays where it is → where it is
    put: Callable[[str], None]                 # write another path into the scene's data


def gather(scene: Scene, new: Path) -> str:
    """Copy the files that a scene names into the folder ``new``; the scene's text, with other paths where they had to be others.

    Raises:
        SceneError: they are too large together.
        AssetError: one cannot be read, or names one that must not be.
    """
    data: dict[str, Any] = yaml.safe_load(scene.text)
    size, moved, named = 0, False, list(_named(scene, data))
    taken: dict[Path, Path] = {}

    def copy(item: _Named, target: Callable[[Path], Path]) -> None:
        nonlocal size
        for place, file in item.files.items():
            size += file.stat().st_size
            if size > FILES_MOST:
                raise SceneError(f"{scene.path}: the files that it names are over {FILES_MOST >> 20} MiB (at {item.source}); "
                                 "name smaller ones to write a stage")
            taken[target(place)] = file
            to = new / target(place)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, to)

    def below(item: _Named) -> Callable[[Path], Path] | None:
        """Where its files come to lie below ``authored`` if its path stays as it is; None where one would lie elsewhere."""
        places = {place: Path(os.path.normpath(Path(item.written) / os.path.relpath(place, item.source))) for place in item.files}
        for key, place in places.items():
            layer = len(place.parts) == 1 and (place.name == NAME or place.suffix.lower() in STAGES)
            if layer or place.is_absolute() or ".." in place.parts or place.parts[:1] == (FOLDER,) \
                    or taken.get(place, item.files[key]) != item.files[key]:
                return None
        return places.__getitem__ if ".." not in PurePosixPath(item.written).parts else None

    elsewhere: dict[tuple[Path, ...], list[_Named]] = {}
    for item in named:
        target = below(item)
        if target is not None:
            copy(item, target)
        else:                                  # numbered after all others have their places
            elsewhere.setdefault((item.source, *item.files), []).append(item)
    number = 0
    for items in elsewhere.values():
        while (new / MOVED / str(number)).exists():
            number += 1
        item, folder = items[0], Path(MOVED) / str(number)
        start = Path(os.path.commonpath([item.source.parent, *(place.parent for place in item.files)]))
        (new / folder).mkdir(parents=True)
        copy(item, lambda place, start=start, folder=folder: folder / place.relative_to(start))    # type: ignore[misc]
        moved = True
        for same in items:
            same.put((folder / item.source.relative_to(start)).as_posix())
    if scene.product.models:
        used = _models_of(scene)
        data["product"]["models"] = [_models(k, source, used, new) for k, source in enumerate(scene.product.models)]
        moved = True
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120) if moved else scene.text


def _named(scene: Scene, data: dict[str, Any]) -> Iterator[_Named]:
    """All that a scene names but its folders of models. Raises AssetError for what cannot be read."""
    from scenes.cad.named import named_files

    def setter(entry: dict[str, Any], key: str) -> Callable[[str], None]:
        return lambda path: entry.__setitem__(key, path)

    product, spec = data["product"], scene.product
    own = [("board", spec.board), ("centroid", spec.centroid), ("bom", spec.bom)]
    if spec.acceptance not in ("class2", "class3"):
        own.append(("acceptance", Path(spec.acceptance)))
    for key, source in own:
        if source is not None:
            yield _Named(str(product[key]), source, {f: f for f in _files(scene, source)}, setter(product, key))
    for entry, item in zip(data.get("equipment") or (), scene.equipment, strict=True):
        files = named_files(item.model, (scene.path.resolve().parent, item.model.parent))
        yield _Named(str(entry["model"]), item.model, files, setter(entry, "model"))


def _files(scene: Scene, source: Path) -> list[Path]:
    """A file, or all files of a folder."""
    files = sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source]
    if not files or not files[0].is_file():
        raise AssetError(f"{source}: no such file; the scene {scene.path} names it")
    return files


def _models_of(scene: Scene) -> list[Path]:
    """The STEP files that the board names and the scene's model folders have."""
    from scenes.board import read_board
    from scenes.cad import find_model

    spec = scene.product
    board = read_board(spec.board, centroid=spec.centroid, bom=spec.bom, thickness=spec.thickness)
    found = {find_model(m.path, spec.models, place=c.reference) for c in board.components for m in c.models}
    return sorted(p for p in found if p is not None)


def _models(number: int, root: Path, used: Sequence[Path], authored: Path) -> str:
    """A folder of models with only those that are used, at their places in it."""
    target = authored / MOVED / f"models{number}"
    target.mkdir(parents=True, exist_ok=True)
    for file in used:
        if file.is_relative_to(root):
            to = target / file.relative_to(root)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, to)
    return f"{MOVED}/models{number}"


__all__ = ["FOLDER", "NAME", "gather"]
