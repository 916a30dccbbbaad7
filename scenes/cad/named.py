"""Which files a machine's model is made of: itself and what it names, in turn. Nothing else beside it is looked at."""
from __future__ import annotations

import os.path
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from scenes.cad.mesh import GLTF, gltf_names
from scenes.cad.roots import read_bytes, resolve
from scenes.cad.urdf import urdf_meshes
from scenes.errors import AssetError


def named_files(path: Path, roots: Sequence[Path]) -> dict[Path, Path]:
    """The files of a STEP, glTF or URDF model: where a file has to lie for the model to find it → where it is.

    The two differ for what a URDF names by ``package://``: it is looked up below the roots, and is found below the model's own
    folder too.

    Raises:
        AssetError: a file is missing, outside ``roots``, does not parse, or is named by an absolute path.
    """
    found: dict[Path, Path] = {}
    _add(path, path, roots, found)
    return found


def _add(place: Path, file: Path, roots: Sequence[Path], found: dict[Path, Path]) -> None:
    if place in found:
        return
    found[place] = resolve(file, roots)
    suffix = file.suffix.lower()
    if suffix == ".urdf":
        for name, mesh in urdf_meshes(file, roots):
            if name.startswith("file:") or Path(name).is_absolute():
                raise AssetError(f"{file}: names '{name[:120]}', which only this machine has; give a path relative to the file")
            _add(_norm(place.parent / name.removeprefix("package://")), mesh, roots, found)
    elif suffix in GLTF:
        for name in map(unquote, gltf_names(file, read_bytes(file, roots), suffix)):
            if Path(name).is_absolute():
                raise AssetError(f"{file}: names '{name[:120]}', which only this machine has; export it with relative paths")
            found[_norm(place.parent / name)] = resolve(file.parent / name, roots)


def _norm(path: Path) -> Path:
    return Path(os.path.normpath(path))


__all__ = ["named_files"]
