"""Centroid and BOM tables in the spellings of the common programs, and what we write read back."""
# ruff: noqa: E501 (board files and tables as text)

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kicad_snippets import R1, read

from scenes.board.tables import read_bom, read_centroid, write_bom, write_centroid
from scenes.errors import AssetError, SceneError


def table(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "Ref,Val,Package,PosX,PosY,Rot,Side\nC1,100n,C_0603,12.7,-25.4,90.0,bottom\n",
        "Designator,Mid X,Mid Y,Layer,Rotation\nC1,12.7mm,-25.4mm,Bottom,90\n",
        "Designator;Mid X;Mid Y;Layer;Rotation\nC1;12,7;-25,4;B;90\n",
        "Designator\tCenter-X(mil)\tCenter-Y(mil)\tLayer\tRotation\nC1\t500\t-1000\tBottomLayer\t90\n",
        '"Altium Designer Pick and Place Locations"\n"Units used: mil"\n\n"Designator","Comment","Layer","Footprint","Center-X(mil)","Center-Y(mil)","Rotation"\n'
        '"C1","100n","BottomLayer","C_0603","500.000mil","-1000.000mil","90"\n',
        "### Module positions\n## Unit = inches, Angle = deg.\n## Side : All\n# Ref     Val     Package   PosX    PosY   Rot  Side\nC1  100n  C_0603  0.5000  -1.0000  90.0  bottom\n## End\n",
        "\ufeffRef,PosX,PosY,Rot,Side\nC1,0.5in,-1in,90,b\n",
    ],
)
def test_centroid_spellings(tmp_path: Path, text: str) -> None:
    (row,) = read_centroid(table(tmp_path, text))
    assert (row.reference, row.side) == ("C1", "back")
    assert (row.x, row.y, row.angle) == pytest.approx((12.7e-3, -25.4e-3, math.pi / 2))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c\n1,2,3\n", "no header row"),
        ("", "no header row"),
        ("Ref,PosX,PosY\nC1,x,2\n", r"t\.csv:2: 'x' is no length"),
        ("Ref,PosX,PosY\nC1,1furlong,2\n", "no length"),
        ("Ref,PosX,PosY,Side\nC1,1,2,left\n", "neither top nor bottom"),
        ("Ref,PosX,PosY,Rot\nC1,1,2,up\n", "no number of degrees"),
        ("Ref,PosX,PosY\nC1,1,2\nC1,3,4\n", r"t\.csv:3: reference C1 was in line 2"),
        ("Ref,PosX,PosY\n", "no rows"),
    ],
)
def test_bad_centroids(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SceneError, match=words) as caught:
        read_centroid(table(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_missing_table(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"none\.csv: cannot be read"):
        read_bom(tmp_path / "none.csv")


def test_bom_spellings(tmp_path: Path) -> None:
    kicad = '"Reference","Value","Footprint","Qty","DNP"\n"C1,C2","100n","Capacitor_SMD:C_0603","2",""\n"R1-R3","10k","R_0402","3","DNP"\n'
    rows = read_bom(table(tmp_path, kicad))
    assert sorted(rows) == ["C1", "C2", "R1", "R2", "R3"]
    assert (rows["C2"].value, rows["C2"].package, rows["C2"].library, rows["C2"].placed) == (
        "100n",
        "C_0603",
        "Capacitor_SMD",
        True,
    )
    assert not rows["R2"].placed
    jlc = read_bom(table(tmp_path, 'Comment,Designator,Footprint,LCSC\n100n,"C1, C2",C_0603,C1\n'))
    assert jlc["C1"].value == "100n" and jlc["C1"].placed


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    board = read(tmp_path, R1.replace('"R1"', '"R2"').replace("10k", r"odd, \"value\"").replace("(attr smd)", "(attr dnp)"))
    write_centroid(board, tmp_path / "c.csv")
    write_bom(board, tmp_path / "b.csv")
    rows, bom = read_centroid(tmp_path / "c.csv"), read_bom(tmp_path / "b.csv")
    assert [(r.reference, r.value, r.package, r.side) for r in rows] == [
        (c.reference, c.value, c.package, c.side) for c in board.components
    ]
    assert [bom[c.reference].placed for c in board.components] == [True, False] and bom["R2"].value == 'odd, "value"'
    assert (
        (tmp_path / "c.csv")
        .read_text()
        .startswith("Ref,Val,Package,PosX,PosY,Rot,Side\nR1,10k,R_0603,5.000000,5.000000,0.000000,top\n")
    )


@settings(max_examples=40, deadline=None)
@given(st.floats(-1, 1, allow_subnormal=False),
       st.floats(-1, 1, allow_subnormal=False),
       st.floats(-4, 4, allow_subnormal=False),
       st.sampled_from(["front", "back"]))
def test_poses_survive_the_table(tmp_path_factory: pytest.TempPathFactory, x: float, y: float, angle: float, side: str) -> None:
    """To a nanometre and a millionth of a degree."""
    tmp = tmp_path_factory.mktemp("t")
    board = read(tmp)
    part = replace(board.components[0], x=x, y=y, angle=angle, side=side)  # type: ignore[arg-type]
    write_centroid(replace(board, components=(part,)), tmp / "c.csv")
    (row,) = read_centroid(tmp / "c.csv")
    assert (row.x, row.y, row.side) == (pytest.approx(x, abs=1e-9), pytest.approx(y, abs=1e-9), side)
    assert math.cos(row.angle - angle) == pytest.approx(1, abs=1e-12)
