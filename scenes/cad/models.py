"""The 3-D models that a board names → files in the folders that the user declared.

A board carries paths of its designer's machine: ``${KICAD8_3DMODEL_DIR}/Resistor_SMD.3dshapes/R_0402_1005Metric.wrl``,
``${KIPRJMOD}/packages3D/x.step``, ``C:\\lib\\x.step``. They are looked up by file name only, inside the board's own folder
and the declared roots. Nothing that a board says can make another file be opened.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from scenes.board.model import Board
from scenes.errors import AssetError

SUFFIXES = (".step", ".stp")                   # KiCad writes .wrl beside a .step of the same name
MAX_FILES = 200_000                            # of a whole model library of KiCad: about 15 000


def find_model(model_path: str, roots: Sequence[str | Path], *, board_file: Path | None = None, place: str = "") -> Path | None:
    """The STEP file for a model path of a board, or None where no declared folder has it.

    Args:
        model_path: As written in the board file.
        roots: Declared model folders, searched in order with their subfolders.
        board_file: Its folder is searched first.
        place: Where in the board the path stands, for the message ("footprint U3").

    Raises:
        AssetError: the path climbs out of where it starts ("..") or is absolute and names an existing file elsewhere.
    """
    folders = ([board_file.parent] if board_file else []) + [Path(r) for r in roots]
    plain = _plain(model_path)
    _refuse_escape(model_path, plain, folders, board_file, place)
    name = PurePosixPath(plain)
    for folder in folders:
        known = _listing(str(folder.resolve()))
        for suffix in dict.fromkeys([name.suffix.lower(), *SUFFIXES]):
            found = known.get((name.stem + suffix).lower()) if suffix in SUFFIXES else None
            if found is not None:
                return found
    return None


def check_models(board: Board, roots: Sequence[str | Path]) -> None:
    """Refuse a board with a model path that leaves its folder and ``roots``; AssetError as :func:`find_model` gives it."""
    source = Path(board.source)
    folders = [source.parent, *(Path(r) for r in roots)]
    for component in board.components:
        for model in component.models:
            _refuse_escape(model.path, _plain(model.path), folders, source, f"footprint {component.reference}")


def _plain(model_path: str) -> str:
    """The path without its leading variable, with forward slashes."""
    return re.sub(r"^(\$\{[^}]*\}|\$\([^)]*\)|:[^:]*:)/*", "", model_path.replace("\\", "/"))


def _refuse_escape(written: str, plain: str, folders: list[Path], board_file: Path | None, place: str) -> None:
    climbs = board_file is not None and ".." in PurePosixPath(plain).parts     # without a start, only the name is looked up
    absolute = plain.startswith("/") and Path(plain).exists()
    if not climbs and not absolute:
        return
    start = board_file.parent if board_file else Path()
    target = Path(plain) if absolute else start / plain
    if any(target.resolve().is_relative_to(f.resolve()) for f in folders):
        return
    where = ": ".join(str(v) for v in (board_file, place) if v) or "3-D model"
    raise AssetError(f"{where}: model path '{written}' leaves the board's folder and every declared model folder; "
                     "remove it, or add its folder to 'models' in the scene")


@cache
def _listing(folder: str) -> dict[str, Path]:
    """File name in lower case → path, for all STEP files below ``folder`` whose links stay inside; the first by path wins."""
    root = Path(folder)
    known: dict[str, Path] = {}
    if not root.is_dir():
        return known
    files = sorted(p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES)
    if len(files) > MAX_FILES:
        raise AssetError(f"{folder}: more than {MAX_FILES} models; declare a narrower folder")
    for file in files:
        if file.is_file() and file.resolve().is_relative_to(root):
            known.setdefault(file.name.lower(), file)
    return known


__all__ = ["check_models", "find_model"]
