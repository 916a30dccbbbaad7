"""Gerber import against the KiCad import of the same board, against gerbonara's own counts, and on files written here."""
# ruff: noqa: E501 (board files and tables as text)

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import shapely
from scipy.spatial import cKDTree

from scenes.board import Board, read_board
from scenes.board.gerber_roles import role_of
from scenes.board.tables import write_bom, write_centroid
from scenes.errors import AssetError, SceneError

GERBER = "%FSLAX46Y46*%\n%MOMM*%\n%LPD*%\nG01*\n"


def pair(boards: Path, tmp: Path, kicad: str, gerber: str) -> tuple[Board, Board]:
    ours = read_board(boards / "esp32_poe" / kicad)
    write_centroid(ours, tmp / "pos.csv")
    write_bom(ours, tmp / "bom.csv")
    return ours, read_board(boards / "esp32_poe" / gerber, centroid=tmp / "pos.csv", bom=tmp / "bom.csv")


@pytest.fixture(scope="module")
def rev_m1(boards: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Board, Board]:
    return pair(boards, tmp_path_factory.mktemp("m1"), "rev_m1.kicad_pcb", "gerber_rev_m1")


@pytest.fixture(scope="module")
def rev_b1(boards: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Board, Board]:
    return pair(boards, tmp_path_factory.mktemp("b1"), "rev_b1_kicad5.kicad_pcb", "gerber_rev_b1")


def iou(a: Board, b: Board, name: str) -> float:
    one, other = (next(x for x in board.layers if x.name == name).region() for board in (a, b))
    return float(shapely.intersection(one, other).area / shapely.union(one, other).area)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("F.Mask", 0.999),
        ("B.Mask", 0.999),
        ("F.Paste", 0.999),
        ("B.Paste", 0.999),
        ("F.SilkS", 0.999),
        ("B.SilkS", 0.999),
        ("In1.Cu", 0.999),
    ],
)
def test_rev_m1_artwork_agrees(rev_m1: tuple[Board, Board], name: str, least: float) -> None:
    assert iou(*rev_m1, name) >= least


@pytest.mark.parametrize("name", ["F.Mask", "B.Mask", "F.Paste", "B.Paste", "B.SilkS"])
def test_kicad_5_artwork_agrees_with_its_gerbers(rev_b1: tuple[Board, Board], name: str) -> None:
    assert iou(*rev_b1, name) >= 0.999


@pytest.mark.parametrize("revision", ["rev_m1", "rev_b1"])
def test_the_same_components_from_both(revision: str, request: pytest.FixtureRequest) -> None:
    ours, theirs = request.getfixturevalue(revision)
    assert len(ours.components) == len(theirs.components) > 100
    for a, b in zip(ours.components, theirs.components, strict=True):
        assert (a.reference, a.value, a.package, a.library, a.side, a.placed) == (
            b.reference,
            b.value,
            b.package,
            b.library,
            b.side,
            b.placed,
        )
        assert (b.x, b.y) == (pytest.approx(a.x, abs=2e-9), pytest.approx(a.y, abs=2e-9)) and math.cos(
            a.angle - b.angle
        ) == pytest.approx(1)
    same = sum(
        sum(p.front or p.back for p in a.pads) == len(b.pads) for a, b in zip(ours.components, theirs.components, strict=True)
    )
    assert same >= 0.99 * len(ours.components)


def test_pads_match_in_place_net_and_kind(rev_m1: tuple[Board, Board]) -> None:
    for a, b in zip(*(board.components for board in rev_m1), strict=True):
        if not b.pads:
            continue
        for pad in b.pads:
            same = [
                p
                for p in a.pads
                if math.hypot(p.x - pad.x, p.y - pad.y) < 2e-6
                and p.net == pad.net
                and p.number == pad.number
                and (p.front, p.back) == (pad.front, pad.back)
                and math.isclose(p.outline.area, pad.outline.area, rel_tol=5e-3)
            ]
            assert same and any(p.kind in (pad.kind, "edge") for p in same), (a.reference, pad.number)


def test_holes_and_outline_match(rev_m1: tuple[Board, Board]) -> None:
    ours, theirs = rev_m1
    assert ours.outline.symmetric_difference(theirs.outline).area * 1e6 < 1e-6

    assert len(ours.drills) == len(theirs.drills) == 308
    distance, index = cKDTree([(d.x, d.y) for d in ours.drills]).query([(d.x, d.y) for d in theirs.drills])
    assert distance.max() < 1e-6  # the drill file has three decimals of a millimetre
    for hole, other in zip(theirs.drills, (ours.drills[i] for i in index), strict=True):
        assert (hole.plated, hole.via, hole.diameter) == (other.plated, other.via, pytest.approx(other.diameter, abs=1e-6))
    assert sorted(round(d.length * 1e6) for d in ours.drills if d.length) == sorted(
        round(d.length * 1e6) for d in theirs.drills if d.length
    )
    assert sorted(f.reference for f in ours.fiducials) == sorted(f.reference for f in theirs.fiducials)


def test_object_counts_are_gerbonaras(rev_b1: tuple[Board, Board]) -> None:
    """Counted with gerbonara alone: front paste 151, front mask 218, front copper 4379."""
    counts = {a.name: len(a.shapes) for a in rev_b1[1].layers}
    assert (counts["F.Paste"], counts["F.Mask"], counts["F.Cu"]) == (151, 218, 4379)


@pytest.mark.parametrize(
    ("name", "kind", "side", "number"),
    [
        ("F.Cu.gbr", "copper", "front", 1),
        ("board-F_Cu.gtl", "copper", "front", 1),
        ("B_Cu.gbr", "copper", "back", 0),
        ("In2_Cu.gbr", "copper", "inner", 3),
        ("x.gtl", "copper", "front", 1),
        ("x.GBL", "copper", "back", 0),
        ("x.g2", "copper", "inner", 3),
        ("F_Mask.gbr", "mask", "front", 0),
        ("x.gbs", "mask", "back", 0),
        ("TopSolderMask.gbr", "mask", "front", 0),
        ("Gerber_TopSolderMaskLayer.GTS", "mask", "front", 0),
        ("B_Paste.gbr", "paste", "back", 0),
        ("x.gtp", "paste", "front", 0),
        ("B.SilkS.gbr", "silk", "back", 0),
        ("F_Silkscreen.gbr", "silk", "front", 0),
        ("x.gto", "silk", "front", 0),
        ("bottom_copper.ger", "copper", "back", 0),
        ("Edge_Cuts.gbr", "outline", "all", 0),
        ("Gerber_BoardOutlineLayer.GKO", "outline", "all", 0),
        ("x.gm1", "outline", "all", 0),
        ("Gerber_TopLayer.GTL", "copper", "front", 1),
        ("Gerber_TopSilkscreenLayer.GTO", "silk", "front", 0),
        ("Gerber_InnerLayer1.G1", "copper", "inner", 2),
    ],
)
def test_roles_by_name(name: str, kind: str, side: str, number: int) -> None:
    role = role_of(Path(name), GERBER)
    assert role is not None and (role.kind, role.side, role.number) == (kind, side, number)


def test_roles_by_attribute_win() -> None:
    def text(function: str) -> str:
        return f"%TF.FileFunction,{function}*%\n" + GERBER

    assert role_of(Path("x.gtl"), text("Soldermask,Bot")).kind == "mask"  # type: ignore[union-attr]
    assert role_of(Path("F_Fab.gbr"), text("AssemblyDrawing,Top")) is None
    assert role_of(Path("x.gbr"), text("Copper,L2,Inr")).number == 2  # type: ignore[union-attr]
    commented = "G04 #@! TF.FileFunction,Legend,Top*\n" + GERBER
    assert role_of(Path("x.gbr"), commented).kind == "silk"  # type: ignore[union-attr]
    drill = "M48\n; #@! TF.FileFunction,NonPlated,1,2,NPTH\nMETRIC\n%\nM30\n"
    assert role_of(Path("a.drl"), drill).plated is False  # type: ignore[union-attr]
    assert role_of(Path("map.gbr"), text("Drillmap")) is None and role_of(Path("notes.txt"), "hello") is None


def folder(tmp_path: Path, **files: str) -> Path:
    root = tmp_path / "gerber"
    root.mkdir(exist_ok=True)
    edge = GERBER + "%ADD10C,0.1*%\nD10*\nX0Y0D02*\nX20000000Y0D01*\nX20000000Y10000000D01*\nX0Y10000000D01*\nX0Y0D01*\nM02*\n"
    copper = GERBER + "%ADD10R,0.8X0.9*%\nD10*\nX4200000Y5000000D03*\nX5800000Y5000000D03*\nM02*\n"
    for name, text in {"Edge_Cuts.gbr": edge, "F_Cu.gbr": copper, "F_Mask.gbr": copper, "F_Paste.gbr": copper, **files}.items():
        (root / name.replace("__", ".")).write_text(text)
    return root


def area(board: Board, name: str) -> float:
    return next(a for a in board.layers if a.name == name).region().area * 1e6


def test_a_small_board_without_attributes(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("Designator,Mid X,Mid Y,Layer,Rotation\nR1,5.0mm,5.0mm,Top,90\n")
    (tmp_path / "b.csv").write_text("Comment,Designator,Footprint\n10k,R1,R_0603_1608Metric\n")
    board = read_board(folder(tmp_path), centroid=tmp_path / "c.csv", bom=tmp_path / "b.csv", thickness=1e-3)
    (part,) = board.components
    assert (part.reference, part.value, part.package, part.placed, len(part.pads)) == ("R1", "10k", "R_0603_1608Metric", True, 2)
    assert [p.paste_area * 1e6 for p in part.pads] == pytest.approx([0.72, 0.72]) and all(
        p.front and p.kind == "smd" for p in part.pads
    )
    assert (
        board.thickness == 1e-3 and sum(s.thickness for s in board.stackup) <= 1e-3 and board.size == pytest.approx((0.02, 0.01))
    )
    bare = read_board(folder(tmp_path))
    assert bare.components == () and any("centroid" in n for n in bare.notes)


def test_the_tables_origin_is_found(tmp_path: Path) -> None:
    """The same part counted from the Gerber files' origin, from the board's corner and from its middle."""
    root = folder(tmp_path)
    shifted = tmp_path / "shifted"
    shifted.mkdir()
    for path in root.iterdir():  # the artwork moves away from the origin
        text = path.read_text()
        (shifted / path.name).write_text(
            re.sub(r"X(\d+)Y(\d+)D0", lambda m: f"X{int(m[1]) + 100000000}Y{int(m[2]) + 50000000}D0", text)
        )
    for x, y in ((105, 55), (5, 5), (-5, 0)):
        (tmp_path / "c.csv").write_text(f"Ref,Val,Package,PosX,PosY,Rot,Side\nR1,10k,R_0603,{x},{y},0,top\n")
        (part,) = read_board(shifted, centroid=tmp_path / "c.csv").components
        assert (part.x, part.y, len(part.pads)) == (pytest.approx(5e-3), pytest.approx(5e-3), 2)
    (tmp_path / "c.csv").write_text("Ref,Val,Package,PosX,PosY,Rot,Side\nR1,10k,R_0603,900,900,0,top\n")
    with pytest.raises(SceneError, match=r"c\.csv: most parts lie outside the outline"):
        read_board(shifted, centroid=tmp_path / "c.csv")


def test_polarity_macros_regions_and_slots(tmp_path: Path) -> None:
    macro = "%AMRR*4,1,4,$1,$2,$3,$4,$5,$6,$7,$8,$1,$2,$9*%\n%ADD10RR,-1X-0.5X1X-0.5X1X0.5X-1X0.5X30*%\n%ADD11C,1X0.4*%\n%ADD12O,2X1*%\n%ADD13R,1X1*%\n"
    copper = (
        GERBER + macro + "D10*\nX5000000Y5000000D03*\nD11*\nX10000000Y5000000D03*\nD12*\nX15000000Y5000000D03*\n"
        "G36*\nX1000000Y1000000D02*\nX3000000Y1000000D01*\nX3000000Y2000000D01*\nX1000000Y2000000D01*\nX1000000Y1000000D01*\nG37*\n"
        "%LPC*%\nD11*\nX2000000Y1500000D03*\n%LPD*%\nD13*\nX12000000Y8000000D02*\nX14000000Y8000000D01*\nM02*\n"
    )
    drill = "M48\nMETRIC\nT1C1.000\nT2C0.500\n%\nG90\nG05\nT1\nX5.0Y8.0\nT2\nX8.0Y8.0G85X9.0Y8.0\nT0\nM30\n"
    board = read_board(folder(tmp_path, F_Cu__gbr=copper, **{"board-PTH.drl": drill}))
    # a turned 2 × 1 outline, a disc with a hole, an obround, a 2 × 1 region less a disc with a hole, a square drawn 2 mm along
    disc = math.pi * (0.5**2 - 0.2**2)
    assert area(board, "F.Cu") == pytest.approx(2 + disc + (1 + math.pi / 4) + (2 - disc) + 3, rel=2e-3)
    hole, slot = board.drills
    assert (hole.diameter, hole.length, hole.plated) == (pytest.approx(1e-3), 0, True)
    assert (slot.diameter, slot.length, slot.angle, slot.x) == pytest.approx((0.5e-3, 1.5e-3, 0, 8.5e-3))


def test_errors_name_the_file_and_what_to_do(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (root / "Edge_Cuts.gbr").unlink()
    with pytest.raises(SceneError, match="no outline among its files; add"):
        read_board(root)
    with pytest.raises(SceneError, match="no copper layer"):
        read_board(_empty(tmp_path))
    with pytest.raises(SceneError, match=r"x-F_Cu\.gbr: F_Cu\.gbr is the front copper layer already|F_Cu\.gbr: .* already"):
        read_board(folder(tmp_path, **{"x-F_Cu.gbr": GERBER + "M02*\n"}))
    (root / "x-F_Cu.gbr").unlink()
    with pytest.raises(SceneError, match=r"F_Cu\.gbr: cannot be read as GerberFile") as caught:
        read_board(folder(tmp_path, F_Cu__gbr=GERBER + "D77*\nX1Y1D03*\nGARBAGE,*\n%ADD10RX,5X*%\nM02*\n"))
    assert "\n" not in str(caught.value)


def _empty(tmp_path: Path) -> Path:
    path = tmp_path / "empty"
    path.mkdir(exist_ok=True)
    return path


def test_links_out_of_the_folder_are_refused_and_includes_are_not_read(tmp_path: Path) -> None:
    root = folder(tmp_path)
    (tmp_path / "secret.gbr").write_text(GERBER + "M02*\n")
    (root / "B_Cu.gbr").symlink_to(tmp_path / "secret.gbr")
    with pytest.raises(AssetError, match="links out of its folder"):
        read_board(root)
    (root / "B_Cu.gbr").unlink()
    with pytest.raises(SceneError, match=r"B_Cu\.gbr: includes the file '\.\./secret\.gbr'"):
        read_board(folder(tmp_path, B_Cu__gbr=GERBER + "%IF../secret.gbr*%\nM02*\n"))
