"""Small KiCad boards in text, for the tests of the importer. One 20 × 10 mm board whose lower left corner is at (100, 110)."""
# ruff: noqa: E501 (board files and tables as text)

from __future__ import annotations

from pathlib import Path

from scenes.board import Board, read_board

LAYERS = """(layers (0 "F.Cu" signal) (31 "B.Cu" signal) (32 "B.Adhes" user) (34 "B.Paste" user) (35 "F.Paste" user)
 (36 "B.SilkS" user) (37 "F.SilkS" user) (38 "B.Mask" user) (39 "F.Mask" user) (44 "Edge.Cuts" user) (47 "F.CrtYd" user) (49 "F.Fab" user))"""
EDGE = '(gr_rect (start 100 100) (end 120 110) (stroke (width 0.1) (type default)) (fill none) (layer "Edge.Cuts"))'
R1 = """(footprint "Lib:R_0603" (layer "F.Cu") (at 105 105 0) (attr smd)
 (property "Reference" "R1" (at 0 -1.5 0) (layer "F.SilkS") (hide yes) (effects (font (size 1 1) (thickness 0.15))))
 (property "Value" "10k" (at 0 1.5 0) (layer "F.Fab") (effects (font (size 1 1) (thickness 0.15))))
 (pad "1" smd rect (at -0.8 0) (size 0.8 0.9) (layers "F.Cu" "F.Paste" "F.Mask") (net 1 "GND"))
 (pad "2" smd rect (at 0.8 0) (size 0.8 0.9) (layers "F.Cu" "F.Paste" "F.Mask") (net 2 "VCC")))"""


def board_text(
    *items: str, version: int = 20240108, setup: str = "", layers: str = LAYERS, edge: str = EDGE, parts: str = R1
) -> str:
    return (
        f'(kicad_pcb (version {version}) (generator "test") (general (thickness 1.6)) {layers}\n(setup {setup})\n'
        + "\n".join([edge, parts, *items])
        + "\n)\n"
    )


def read_text(tmp_path: Path, text: str, name: str = "board.kicad_pcb") -> Board:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_board(path)


def read(tmp_path: Path, *items: str, **options: object) -> Board:
    return read_text(tmp_path, board_text(*items, **options))  # type: ignore[arg-type]


def area(board: Board, name: str) -> float:
    """Area of a layer [mm²]."""
    return next(a for a in board.layers if a.name == name).region().area * 1e6
