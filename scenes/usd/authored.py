"""What a stage was written from, kept beside it: so that a stage edited by hand can be read again as a scene.

    OUT/authored/scene.yaml         the scene, with every file that it names beside it (board, BOM, models, …)
    OUT/authored/line.usda, …       the layers as they were written: what differs from them is an edit
    OUT/line.usda                   /World.twin:authored = "authored/scene.yaml"

A relative path of the scene keeps its place below ``authored``; what lay elsewhere comes into ``authored/files/<n>``. The digest
of an unedited stage's scene is that of the scene where all its paths were relative and below it.
"""
from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from scenes.cad.roots import resolve
from scenes.edits import Edits
from scenes.edits_file import with_edits
from scenes.edits_over import over
from scenes.errors import AssetError, SceneError, StorageError
from scenes.scene import SCENE_KEYS, STAGES, Scene, SceneFile
from scenes.usd.contents import Contents
from scenes.usd.gathered import FOLDER, NAME, gather
from scenes.usd.write import ROOT, write
from scenes.yaml_file import explain, mapping, read_text

ATTRIBUTE = "twin:authored"
COUNT_MOST = 100_000                           # of the files in the folders that it names


def refuse(folder: Path, scene: Scene) -> None:
    """Refuse a folder where writing the stage of ``scene`` would take away what it is made from, or what is not ours.

    Raises:
        SceneError: the scene, or a file that it names, lies in the folder's ``authored``, or it is the stage in this folder.
        StorageError: there is an ``authored`` that no stage of ours came with.
    """
    authored = (folder / FOLDER).resolve()
    product = scene.product
    named = [scene.path, product.board, product.centroid, product.bom, *product.models, *(e.model for e in scene.equipment)]
    named += [] if product.acceptance in ("class2", "class3") else [Path(product.acceptance)]
    for file in (f.resolve() for f in named if f is not None):
        if file.is_relative_to(authored) or (file.parent == folder.resolve() and file.suffix.lower() in STAGES):
            raise SceneError(f"{folder}: the scene {scene.path} is made from {file}, which writing there replaces; choose "
                             "another folder")
    if scene.path.suffix.lower() in STAGES and folder.resolve().is_relative_to((scene.path.parent / FOLDER).resolve()):
        raise SceneError(f"{folder}: belongs to the stage {scene.path}; choose another folder")
    place = folder / FOLDER
    ours = not place.is_symlink() and (place / NAME).is_file() and (place / ROOT).is_file()
    if (place.exists() or place.is_symlink()) and not ours:
        raise StorageError(f"{place}: is there and came with no stage of ours; choose another folder, or move it away")


def write_kept(contents: Contents, folder: str | Path, scene: Scene) -> Path:
    """Write the stage of ``scene`` so that it can be edited and read again; gives the path of the root layer.

    What the scene names is gathered before anything else is written: where that fails, the folder is as it was.

    Raises:
        StorageError: the folder cannot be written; as ``refuse``.
        SceneError: as ``refuse``; the files that the scene names are too large together.
        AssetError: a file that the scene names cannot be read, or names one that must not be.
    """
    with _Gathered(Path(folder), scene) as gathered:
        root = write(contents, folder)
        gathered.settle(root)
    return root


def keep(root: Path, scene: Scene) -> None:
    """Make the stage of ``scene`` at ``root`` (just written) one that can be edited and read again. Raises as ``write_kept``.

    Args:
        root: The root layer; every layer in its folder belongs to the stage.
        scene: What it was written from. Of its model folders only the files that its board names are copied, of its equipment
            only the models and what they name.
    """
    with _Gathered(root.parent, scene) as gathered:
        gathered.settle(root)


class _Gathered:
    """``authored.new``: the scene and its files, until they take the place of ``authored``. It goes away where they do not."""

    def __init__(self, folder: Path, scene: Scene) -> None:
        self.folder, self.scene, self.new = folder, scene, folder / f"{FOLDER}.new"
        self.text = ""

    def __enter__(self) -> _Gathered:
        refuse(self.folder, self.scene)
        if self.new.exists():
            raise StorageError(f"{self.new}: is left of a run that was interrupted, or is being written; remove it")
        try:
            self.new.mkdir(parents=True)
            self.text = gather(self.scene, self.new)
        except OSError as error:
            self.__exit__()
            raise StorageError(f"{error.filename or self.new}: cannot be copied into {self.new} ({error.strerror or error}); "
                               "choose another folder") from None
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.new, ignore_errors=True)

    def settle(self, root: Path) -> None:
        """Let the root layer name the scene, and put scene and layers in their place."""
        from pxr import Sdf

        layer = Sdf.Layer.FindOrOpen(str(root))
        layer.Reload()
        spec = layer.GetPrimAtPath("/World")
        said = Sdf.AttributeSpec(spec, ATTRIBUTE, Sdf.ValueTypeNames.String, Sdf.VariabilityVarying, True)
        said.default = f"{FOLDER}/{NAME}"
        layer.Save()
        place, old = self.folder / FOLDER, self.folder / f"{FOLDER}.old"
        try:
            for file in sorted(p for p in self.folder.iterdir() if p.suffix in STAGES):
                shutil.copyfile(file, self.new / file.name)
            (self.new / NAME).write_text(self.text, encoding="utf-8")
            if place.exists():
                place.rename(old)              # of an older stage in the same place
            try:
                self.new.rename(place)
            except OSError:
                if old.exists():
                    old.rename(place)
                raise
            if old.exists():
                shutil.rmtree(old)
        except OSError as error:
            raise StorageError(f"{place}: cannot be written ({error.strerror or error}); choose another folder") from None


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
    try:
        told = SceneFile.model_validate(data)
    except ValidationError as error:
        raise SceneError(explain(file, error.errors()[0], SCENE_KEYS)) from None
    root = file.parent
    _confined(path, told, root)
    before, old = open_stage(_inside(path, root / _first_layer(root, path), folder)), told.edits.edits()
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


def _confined(path: Path, scene: SceneFile, root: Path) -> None:
    """Every file that the scene names must lie beside it: the stage may come from anybody."""
    product = scene.product
    named = [product.board, product.centroid, product.bom, *product.models, *(e.model for e in scene.equipment)]
    named += [] if product.acceptance in ("class2", "class3") else [Path(product.acceptance)]
    real = root.resolve()
    for place in (root / name for name in named if name is not None):
        try:
            files = [place] if place.resolve().is_relative_to(real) else None
            if files and place.is_dir():
                files += islice(place.rglob("*"), COUNT_MOST)
            if not files or len(files) > COUNT_MOST or not all(f.resolve().is_relative_to(real) for f in files):
                raise AssetError(f"{path}: the scene names {str(place)[:200]}, which lies outside {root} or leads there; copy it "
                                 "there")
        except AssetError:
            raise
        except (OSError, ValueError) as error:                 # too long a name, a NUL in it, a loop of links
            raise AssetError(f"{path}: the scene names {str(place)[:200]!r}, which is no path ({type(error).__name__}); correct "
                             "it") from None


__all__ = ["keep", "refuse", "scene_text", "write_kept"]
