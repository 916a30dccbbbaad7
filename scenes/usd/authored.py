"""What a stage was written from, kept beside it: so that a stage edited by hand can be read again as a scene.

    OUT/authored/scene.yaml         the scene, with every file that it names beside it (board, BOM, models, …)
    OUT/authored/line.usda, …       the layers as they were written: what differs from them is an edit
    OUT/line.usda                   /World.twin:authored = "authored/scene.yaml"

A relative path of the scene keeps its place below ``authored``; what lay elsewhere comes into ``authored/files``. The digest
of an unedited stage's scene is that of the scene where all its paths were relative and below it.
"""
from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from pydantic import ValidationError

from scenes.cad.roots import resolve
from scenes.edits import Edits
from scenes.edits_file import EditsFile, with_edits
from scenes.edits_over import over
from scenes.errors import AssetError, SceneError, StorageError
from scenes.scene import SCENE_KEYS, STAGES, Scene
from scenes.yaml_file import explain, mapping, read_text

FOLDER, NAME = "authored", "scene.yaml"
ATTRIBUTE = "twin:authored"
FILES_MOST = 256 * 2 ** 20                     # [bytes] of the files that it names, together


def keep(root: Path, scene: Scene) -> None:
    """Make the stage of ``scene`` at ``root`` (just written) one that can be edited and read again.

    Args:
        root: The root layer; every layer in its folder belongs to the stage.
        scene: What it was written from. Of its model folders only the files that its board names are copied.

    Raises:
        StorageError: the folder cannot be written.
        SceneError: the files that the scene names are too large together.
    """
    from pxr import Sdf

    folder, authored = root.parent, root.parent / FOLDER
    layer = Sdf.Layer.FindOrOpen(str(root))
    layer.Reload()
    spec = layer.GetPrimAtPath("/World")
    Sdf.AttributeSpec(spec, ATTRIBUTE, Sdf.ValueTypeNames.String, Sdf.VariabilityVarying, True).default = f"{FOLDER}/{NAME}"
    layer.Save()
    try:
        if authored.exists():
            shutil.rmtree(authored)            # of an older stage in the same place
        authored.mkdir(parents=True)
        for file in sorted(p for p in folder.iterdir() if p.suffix in STAGES):
            shutil.copyfile(file, authored / file.name)
        text = _gathered(scene, authored)
        (authored / NAME).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{authored}: cannot be written ({error.strerror or error}); choose another folder") from None


def _gathered(scene: Scene, authored: Path) -> str:
    """Copy the files that a scene names; its text, with other paths where they had to be others."""
    data: dict[str, Any] = yaml.safe_load(scene.text)
    product, spec = data["product"], scene.product
    total, moved = 0, False

    def copy(source: Path, written: str) -> str:
        nonlocal total, moved
        plain = PurePosixPath(written)
        below = not plain.is_absolute() and ".." not in plain.parts and plain.parts[:1] != (FOLDER,)
        target = authored / (plain if below else Path("files") / source.name)
        files = sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source]
        total += sum(f.stat().st_size for f in files)
        if total > FILES_MOST:
            raise SceneError(f"{scene.path}: the files that it names are over {FILES_MOST >> 20} MiB (at {source}); name smaller "
                             "ones to write a stage")
        for file in files:
            to = target / file.relative_to(source) if source.is_dir() else target
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, to)
        moved |= not below
        return written if below else f"files/{source.name}"

    for key, source in (("board", spec.board), ("centroid", spec.centroid), ("bom", spec.bom)):
        if source is not None:
            product[key] = copy(source, str(product[key]))
    if spec.acceptance not in ("class2", "class3"):
        product["acceptance"] = copy(Path(spec.acceptance), str(product["acceptance"]))
    if spec.models:
        used = _models_of(scene)
        product["models"] = [_models(k, source, used, authored) for k, source in enumerate(spec.models)]
        moved = True
    for entry, equipment in zip(data.get("equipment") or (), scene.equipment, strict=True):
        # a URDF or glTF file names others beside it; a STEP file is alone
        beside = equipment.model.suffix.lower() in (".urdf", ".gltf")
        if beside:
            place = copy(equipment.model.parent, str(PurePosixPath(entry["model"]).parent))
            entry["model"] = str(PurePosixPath(place) / equipment.model.name)
        else:
            entry["model"] = copy(equipment.model, str(entry["model"]))
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120) if moved else scene.text


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
    target = authored / "files" / f"models{number}"
    target.mkdir(parents=True, exist_ok=True)
    for file in used:
        if file.is_relative_to(root):
            to = target / file.relative_to(root)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, to)
    return f"files/models{number}"


def scene_text(path: Path) -> tuple[str, Path, Path]:
    """The scene of a stage: its text with the edits as a section, the path to name in errors, and where its paths start.

    Raises:
        SceneError: no stage that ``keep`` has seen, or not in metres with Z up; what ``scenes.usd.files`` raises.
        AssetError: the stage or its scene names something outside its folder.
    """
    from pxr import UsdGeom

    from scenes.usd.edited import edits_of
    from scenes.usd.files import open_stage

    if not path.is_file():
        raise SceneError(f"{path}: no such file; give the stage's root layer, line.usda")
    folder = path.resolve().parent
    stage = open_stage(path)
    world = stage.GetPrimAtPath("/World")
    place = world.GetAttribute(ATTRIBUTE).Get() if world else None
    if not isinstance(place, str):
        raise SceneError(f"{path}: does not say which scene it was written from (/World.{ATTRIBUTE}); give the line.usda of a "
                         "folder that 'linetwin scene usd' wrote")
    metres, up = UsdGeom.GetStageMetersPerUnit(stage), UsdGeom.GetStageUpAxis(stage)
    if metres != 1 or up != "Z":
        raise SceneError(f"{path}: metersPerUnit {metres:g}, upAxis {up}; set them to 1 and Z, as they were written")
    file = _inside(path, folder / place, folder)
    text = read_text(file, "a scene", SceneError)
    data = mapping(text, file, "a scene", SceneError, "restore it as it was written")
    root = file.parent
    _confined(path, data, root)
    before = open_stage(_inside(path, root / _first_layer(root, path), folder))
    try:
        old = EditsFile.model_validate(data.get("edits") or {}).edits()
    except ValidationError as error:
        raise SceneError(explain(file, {**error.errors()[0], "loc": ("edits", *error.errors()[0]["loc"])}, SCENE_KEYS)) from None
    found = edits_of(before, stage, old)
    lighting = {s.id: s.lighting for s in Scene.parse(with_edits(text, Edits()), path, root).stations} if old else {}
    return with_edits(text, over(found, old, lighting)), path, root


def _first_layer(root: Path, path: Path) -> str:
    """The root layer as written: of the same name, or line.usda for a stage that was saved under another one."""
    return path.name if (root / path.name).is_file() else "line.usda"


def _inside(path: Path, file: Path, folder: Path) -> Path:
    try:
        return resolve(file, [folder])
    except AssetError:
        raise SceneError(f"{path}: {file} is not there or lies outside {folder}; keep the folder '{FOLDER}' beside the "
                         "stage") from None


def _confined(path: Path, data: Any, root: Path) -> None:
    """Every file that the scene names must lie beside it: the stage may come from anybody."""
    product = data.get("product") if isinstance(data, dict) else None
    if not isinstance(product, dict):
        raise SceneError(f"{path}: {root / NAME} is not a scene; restore it as it was written")
    models, equipment = product.get("models"), data.get("equipment")
    named = [product.get(key) for key in ("board", "centroid", "bom")]
    named += [product.get("acceptance") if product.get("acceptance") not in ("class2", "class3") else None]
    named += list(models) if isinstance(models, list) else []
    named += [e.get("model") for e in equipment if isinstance(e, dict)] if isinstance(equipment, list) else []
    for name in (str(n) for n in named if n is not None):
        place = root / name
        for file in (place, *(place.rglob("*") if place.is_dir() else ())):
            if not file.resolve().is_relative_to(root.resolve()):
                raise AssetError(f"{path}: the scene names {name[:200]}, which lies outside {root}; copy it there")


__all__ = ["keep", "scene_text"]
