"""scenes.board: circuit boards as designed, from KiCad or from Gerber, Excellon and CSV files.

For: reading board files into one ``Board``, panels of several, checking what was read.
Not for: parts' bodies (scenes.parts), the process (scenes.smt), pixels.
May import: numpy, shapely, scipy, scenes.errors; gerbonara inside ``gerber*.py`` and ``strokes.py`` only.
Promise: the same file gives the same Board, whatever its format; what could not be read is in ``Board.notes``.
Start reading at model.py, then kicad.py.
"""

from __future__ import annotations

from pathlib import Path

from scenes.board.check import check
from scenes.board.model import Board
from scenes.errors import AssetError


def read_board(path: str | Path, *, centroid: Path | None = None, bom: Path | None = None, thickness: float = 1.6e-3) -> Board:
    """Read a board file or a folder of Gerber files.

    Args:
        path: A ``.kicad_pcb`` file (KiCad 5 to 9), or a folder of Gerber and Excellon files.
        centroid: Pick-and-place CSV, for a Gerber folder: without it there are no components.
        bom: Bill of materials CSV, for a Gerber folder.
        thickness: Of a Gerber board's laminate [m]; a KiCad file knows its own.

    Raises:
        AssetError: a file is missing or unreadable.
        SceneError: it is no board, or is damaged. One line with the file, the place and what to do.
    """
    path = Path(path)
    if not path.exists():
        raise AssetError(f"{path}: no such file or folder; give a .kicad_pcb file or a folder of Gerber files")
    if path.is_dir():
        from scenes.board.gerber import read_gerber

        return read_gerber(path, centroid=centroid, bom=bom, thickness=thickness)
    from scenes.board.kicad import read_kicad

    return read_kicad(path)


__all__ = ["Board", "check", "read_board"]
