"""Which files a stage is made of, found without opening any that lies outside its folder. A stage may come from anywhere."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from scenes.errors import AssetError, SceneError

LAYERS_MAX, BYTES_MAX = 200, 1 << 30           # of one stage
PICTURE_BYTES_MAX = 256 << 20
_SUFFIXES = (".usd", ".usda", ".usdc")
_ELSEWHERE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:|[\[\]\0]")      # URLs, packages, format arguments


def check_files(path: str | Path) -> list[Path]:
    """All layers of a stage, the root first.

    Raises:
        SceneError: a layer cannot be read, or names something that is missing or not a layer.
        AssetError: it names something outside the root's folder; too many or too large layers.
    """
    root = Path(path).resolve()
    folder = root.parent
    waiting, found, size = [root], [], 0
    while waiting:
        file = waiting.pop(0)
        if file in found:
            continue
        if not file.is_file():
            raise SceneError(f"{file}: no such file; the stage {root.name} names it as a layer")
        size += file.stat().st_size
        found.append(file)
        if len(found) > LAYERS_MAX or size > BYTES_MAX:
            raise AssetError(f"{root}: more than {LAYERS_MAX} layers or {BYTES_MAX >> 20} MiB; open a smaller stage")
        for name in _named(folder, file):
            target = inside(folder, file, name)
            if target.suffix.lower() == ".usdz":
                raise AssetError(f"{file}: names the package '{name[:120]}', whose files are not checked; unpack it")
            if target.suffix.lower() in _SUFFIXES:
                waiting.append(target)
    return found


def inside(folder: Path, file: Path, name: str) -> Path:
    """Where an asset path of a layer leads, following links. Raises AssetError where that is not below the stage's folder."""
    target = (file.parent / name).resolve()
    if _ELSEWHERE.search(name) or not target.is_relative_to(folder):
        raise AssetError(f"{file}: names '{name[:120]}', which lies outside the stage's folder; copy it into that")
    return target


def _named(folder: Path, file: Path) -> list[str]:
    """Every asset path in a layer: sublayers, references, payloads, clips, attributes.

    Variables and expressions are refused: this looks at one layer with its own variables, composition evaluates the paths of all
    layers with those of the root, and the two may lead to different files. USD keeps layers by path, so the file is read anew.
    """
    from pxr import Sdf, Tf, UsdUtils

    def look(name: str) -> str:
        inside(folder, file, name)
        return name                            # nothing is modified

    if file.suffix.lower() not in _SUFFIXES:
        raise SceneError(f"{file}: not an OpenUSD layer; give a .usda, .usdc or .usd file")
    try:
        layer = Sdf.Layer.OpenAsAnonymous(str(file))           # what is in the file now, whatever USD keeps of it
        if layer.pseudoRoot.HasInfo("expressionVariables"):
            raise AssetError(f"{file}: has expressionVariables, by which paths lead elsewhere; write the paths themselves")
        for name in layer.GetCompositionAssetDependencies():
            if Sdf.VariableExpression.IsExpression(name):
                raise AssetError(f"{file}: the path {name[:120]} is an expression; write the path itself")
        UsdUtils.ModifyAssetPaths(layer, look)
        known = Sdf.Layer.Find(str(file))
        if known is not None and not known.dirty:
            known.Reload()
        told = UsdUtils.ExtractExternalReferences(str(file), UsdUtils.ExtractExternalReferencesParams())
    except (Tf.ErrorException, RuntimeError) as error:
        raise SceneError(f"{file}: not a readable layer; {_line(error)}") from None
    return sorted({name for group in told for name in group})


def open_stage(path: str | Path) -> Any:
    """A stage with an empty session layer. Raises SceneError and AssetError as ``check_files``; SceneError where it fails."""
    from pxr import Sdf, Tf, Usd

    for file in check_files(path):
        known = Sdf.Layer.Find(str(file))
        if known is not None and known.dirty:  # reading it anew would throw somebody's work away
            raise SceneError(f"{file}: has changes in this process that were not saved; save the stage first")
    try:
        layer = Sdf.Layer.FindOrOpen(str(Path(path).resolve()))
        layer.Reload()                         # USD keeps layers by path; the file may have changed since
        stage = Usd.Stage.Open(layer, Sdf.Layer.CreateAnonymous())
    except (Tf.ErrorException, RuntimeError) as error:
        raise SceneError(f"{path}: does not open as a stage; {_line(error)}") from None
    stage.Reload()
    return stage


def _line(error: Exception) -> str:
    lines = [s.strip() for s in str(error).splitlines() if s.strip()]
    said = lines[0].rsplit(" : ", 1)[-1].strip("'") if lines else error.__class__.__name__
    return said[:300]


__all__ = ["PICTURE_BYTES_MAX", "check_files", "inside", "open_stage"]
