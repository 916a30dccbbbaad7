"""Edits as values: in a scene file, on top of each other, and as changes of a design."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scenes.board import Board, read_board
from scenes.edits import CameraEdit, Dome, Edits, Gain, LightEdit, MaterialEdit, Paint, PartEdit, lit
from scenes.edits_file import LINES_MOST, EditsFile, counted, section, with_edits, within
from scenes.edits_over import capped, over
from scenes.errors import SceneError
from scenes.materials import TABLE, index
from scenes.optics import Directional, Lighting, Ring
from scenes.scene import Scene
from scenes.smt.redesign import drawn_by, redesigned, repainted

POSE = (1.0, 0.0, 0.0, 0.01, 0.0, 1.0, 0.0, 0.02, 0.0, 0.0, 1.0, 0.2, 0.0, 0.0, 0.0, 1.0)
ALL = Edits(
    (
        CameraEdit("aoi", "Camera_top", "top", 0, pose=POSE, pixel_size=1.25e-5, clip=(0.1, 0.3)),
        CameraEdit("aoi", "Camera_side", "top", -1, "rgb", False, POSE, 640, 480, 2e-5, 0.25, "perspective"),
    ),
    (
        LightEdit("aoi", "Light_dome", Dome((0.1, 0.2, 0.3))),
        LightEdit("aoi", "Light_directional_0", None),
        LightEdit("aoi", "Key", Directional((0.0, 0.6, 0.8), (1.0, 0.5, 0.25), False)),
        LightEdit("aoi", "Light_ring_1", Ring(0.1, 0.2, (1.0, 1.0, 1.0))),
        LightEdit("aoi", "Bench", Gain(2.0, (1, 1, 1), 0.0, 0.5)),
    ),
    (
        PartEdit("R1", removed=True),
        PartEdit("C3", like="R2", move=(1e-3, 0.0), turn=math.pi / 3),
        PartEdit("R99", like="R2", at=(0.01, 0.02, 0.5)),
    ),
    (
        MaterialEdit("copper", base_color=(0.9, 0.1, 0.1)),
        MaterialEdit("lime", like="epoxy_black", roughness=0.3, emissivity=0.5, composition=(("Al", 0.25), ("O", 0.75))),
    ),
    (Paint(("U1", "U2"), "epoxy_black", "lime"),),
    ("a: b",),
    ("c: d",),
)
TEXT = """
linetwin: 1
name: x      # a comment that stays
product: {board: boards/inspector.kicad_pcb}
stations: [{id: aoi, camera: {}, lighting: {dome: [1, 1, 1]}}]
"""


@pytest.fixture(scope="module")
def board(examples: Path) -> Board:
    return read_board(examples / "boards" / "inspector.kicad_pcb")


def test_a_section_says_all_and_reads_back() -> None:
    text = yaml.safe_dump(section(ALL))
    assert EditsFile.model_validate(yaml.safe_load(text)).edits() == ALL
    assert section(Edits()) == {}


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), st.floats(1e-6, 1e-3))
def test_numbers_survive_the_text_exactly(place: list[float], pixel: float) -> None:
    pose = (1.0, 0.0, 0.0, place[0], 0.0, 1.0, 0.0, place[1], 0.0, 0.0, 1.0, place[2], 0.0, 0.0, 0.0, 1.0)
    edits = Edits((CameraEdit("a", "Camera_t", "t", 0, pose=pose, pixel_size=pixel),))
    assert EditsFile.model_validate(yaml.safe_load(yaml.safe_dump(section(edits)))).edits() == edits


def test_a_scene_file_carries_its_edits_and_its_comments(examples: Path, tmp_path: Path) -> None:
    (tmp_path / "boards").symlink_to(examples / "boards")
    (tmp_path / "s.yaml").write_text(TEXT)
    plain = Scene.read(tmp_path / "s.yaml")
    once = with_edits(TEXT, ALL)
    assert "a comment that stays" in once and with_edits(with_edits(once, Edits()), ALL) == once
    (tmp_path / "s.yaml").write_text(once)
    scene = Scene.read(tmp_path / "s.yaml")
    assert scene.edits == ALL
    lamps = scene.stations[0].lighting
    assert lamps is not None and lamps.dome == (0.1, 0.2, 0.3) and lamps.exposure == 2.0
    assert lamps.directional == (ALL.lights[2].lamp,) and len(lamps.rings) == 1
    assert scene.stations[0].camera is not None and scene.stations[0].camera.edits == ALL.cameras
    assert scene.digest() != plain.digest() and scene.product_digest() != plain.product_digest()
    # what was not carried changes no byte of a sample, so it is not in the digest
    (tmp_path / "s.yaml").write_text(with_edits(TEXT, Edits(not_carried=("x: y",))))
    assert Scene.read(tmp_path / "s.yaml").digest() == plain.digest() == replace(plain, text=TEXT).digest()
    assert counted({"name": "x", "edits": {"not_carried": ["y"]}}) == {"name": "x"}


@pytest.mark.parametrize(
    ("section_", "told"),
    [
        ("parts: [{reference: R1, at: [0, 0, 0]}]", "a new component needs 'like'"),
        ("materials: [{name: copper, base_color: [0, 0, 2]}]", "less than or equal to 1"),
        ("materials: [{name: brick, roughness: 0.5}]", "'brick' is not a material"),
        ("materials: [{name: copper, composition: {Xx: 1}}]", "not a symbol of an element"),
        ("materials: [{name: copper, composition: {Cu: 0.5}}]", "sum to 0.5"),
        ("lights: [{station: nowhere, light: L, removed: true}]", "station 'nowhere' is not in the scene"),
        ("lights: [{station: aoi, light: L}]", "give one of removed"),
        (
            "cameras: [{station: aoi, camera: C, spec: t, tile: 0, pose: [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]}]",
            "not a rotation",
        ),
        ("parts: [{reference: R1, colour: red}]", "unknown key"),
    ],
)
def test_a_wrong_section_is_told_in_one_line(section_: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(TEXT + "edits: {" + section_ + "}\n")
    with pytest.raises(SceneError, match=told) as error:
        Scene.read(tmp_path / "s.yaml")
    assert "\n" not in str(error.value)


def test_the_table_is_the_same_object_where_nothing_changed() -> None:
    assert Edits().table() is TABLE
    rows = ALL.table()
    assert rows[index("copper")].base_color == (0.9, 0.1, 0.1) and rows[index("copper")].density == TABLE[index("copper")].density
    assert len(rows) == len(TABLE) + 1 and rows[-1].name == "lime" and rows[-1].emissivity == 0.5
    assert [r for k, r in enumerate(rows[:-1]) if k != index("copper")] == [
        r for k, r in enumerate(TABLE) if k != index("copper")
    ]
    with pytest.raises(SceneError, match="a mesh can tell 256 apart"):
        Edits(materials=tuple(MaterialEdit(f"m{k}", like="copper") for k in range(300))).table()


def test_domes_add_up_and_new_lamps_come_last() -> None:
    lamp = Directional((0.0, 0.0, 1.0), (1.0, 1.0, 1.0))
    base = Lighting(dome=(0.1, 0.1, 0.1), directional=(lamp,))
    more = lit(base, [LightEdit("a", "sky", Dome((0.2, 0.0, 0.0))), LightEdit("a", "key", replace(lamp, shadows=False))])
    assert (
        more is not None
        and more.dome == pytest.approx((0.3, 0.1, 0.1))
        and [v.shadows for v in more.directional] == [True, False]
    )
    assert lit(base, []) is base and lit(None, []) is None


def test_edits_on_top_of_edits_are_told_of_the_authored_scene() -> None:
    """A stage written from an edited scene counts cameras and lamps anew; parts may be replaced ones already."""
    lamp = Directional((0.0, 0.0, 1.0), (1.0, 1.0, 1.0))
    lamps = {"aoi": Lighting(dome=(0.1, 0.1, 0.1), directional=(lamp, lamp))}
    old = Edits(
        (CameraEdit("aoi", "Camera_top_1", "top", 1, removed=True), CameraEdit("aoi", "Camera_side", "top", -1, pose=POSE)),
        (LightEdit("aoi", "Light_directional_0", None), LightEdit("aoi", "sky", Dome((0.2, 0.2, 0.2)))),
        (PartEdit("R1", like="C3", move=(1e-3, 0.0)), PartEdit("R99", like="R2", at=(0.01, 0.02, 0.0))),
        (MaterialEdit("copper", roughness=0.5),),
    )
    new = Edits(
        (CameraEdit("aoi", "Camera_top_1", "top", 1, width=64), CameraEdit("aoi", "Camera_side_3", "side", 3, height=99)),
        (
            LightEdit("aoi", "Light_directional_0", replace(lamp, shadows=False)),
            LightEdit("aoi", "Light_dome", Dome((0.4, 0.4, 0.4))),
        ),
        (PartEdit("R1", move=(1e-3, 2e-3)), PartEdit("R99", move=(1e-3, 0.0), turn=0.5), PartEdit("R5", like="R1")),
        (MaterialEdit("copper", metallic=0.5),),
        not_carried=("x",),
    )
    both = over(new, old, lamps)
    assert both.cameras == (
        old.cameras[0],
        replace(old.cameras[1], height=99),
        CameraEdit("aoi", "Camera_top_2", "top", 2, width=64),
    )
    made = lit(lamps["aoi"], both.lights)
    assert (
        made is not None and made.dome == pytest.approx((0.4, 0.4, 0.4)) and made.directional == (replace(lamp, shadows=False),)
    )
    assert both.parts == (
        PartEdit("R1", like="C3", move=(2e-3, 2e-3)),
        PartEdit("R99", like="R2", at=(0.011, 0.02, 0.5)),
        PartEdit("R5", like="C3"),
    )
    assert both.materials == (MaterialEdit("copper", roughness=0.5, metallic=0.5),) and both.not_carried == ("x",)
    assert over(Edits(parts=(PartEdit("R99", removed=True),)), old, lamps).parts == old.parts[:1]
    assert over(ALL, Edits(), {}) == ALL


@pytest.mark.parametrize(
    ("old", "new", "both"),
    [
        ((("A", "B"),), (("B", "C"),), {"A": "C", "B": "C", "D": "D"}),
        ((("A", "B"),), (("B", "A"),), {"A": "A", "B": "A", "D": "D"}),
        ((("A", "B"), ("B", "A")), (("B", "C"),), {"A": "C", "B": "A", "D": "D"}),
        ((("", "B"),), (("B", "C"),), {"A": "C", "B": "C", "D": "C"}),
        ((("A", "B"),), (("", "C"),), {"A": "C", "B": "C", "D": "C"}),
        ((("", "B"), ("A", "D")), (("D", "A"),), {"A": "A", "B": "B", "D": "B"}),
        ((), (("A", "B"),), {"A": "B", "B": "B", "D": "D"}),
        ((("A", "B"),), (), {"A": "B", "B": "B", "D": "D"}),
    ],
)
def test_a_part_that_was_painted_twice_shows_the_second(
    old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...], both: dict[str, str]
) -> None:
    """What each material of a package shows after both: ``both``, worked out by hand. U2 was painted by the first alone."""

    def shown(paints: tuple[Paint, ...], part: str) -> dict[str, str]:
        paint = {p.was: p.now for p in paints if part in p.parts}
        return {was: paint.get(was, paint.get("", was)) for was in "ABD"}

    first = Edits(paints=tuple(Paint(("U1", "U2"), *p) for p in old))
    made = over(Edits(paints=tuple(Paint(("U1",), *p) for p in new)), first, {}).paints
    assert shown(made, "U1") == both and shown(made, "U2") == shown(first.paints, "U2")
    assert len({(p, q.was) for q in made for p in q.parts}) == sum(len(q.parts) for q in made)


def test_a_second_repaint_reaches_the_package(board: Board) -> None:
    from scenes.parts import describe, mesh

    old = Edits(paints=(Paint(("U1",), "epoxy_black", "tin"),))
    edits = over(Edits(paints=(Paint(("U1",), "tin", "copper"),)), old, {})
    part = [c for c in board.components if c.reference == "U1"]
    (painted,) = repainted(part, [describe(part[0])], edits.paints, TABLE)
    assert index("epoxy_black") in mesh(describe(part[0])).material
    assert not np.isin(mesh(painted).material, [index("epoxy_black"), index("tin")]).any()
    assert index("copper") in mesh(painted).material


def test_notes_are_cut_off_where_a_scene_holds_no_more(examples: Path) -> None:
    lines = tuple(f"/x/{k}: y; z" for k in range(600))
    assert capped(lines[:LINES_MOST]) == lines[:LINES_MOST] and capped(lines[:3], lines[1:4]) == lines[:4]
    once = capped(lines)
    assert len(once) == LINES_MOST and once[-1] == "and 101 more" and once[:-1] == lines[:499]
    both = over(Edits(approximated=lines[300:], not_carried=("a: b",)), Edits(approximated=once, not_carried=lines), {})
    assert both.approximated == (*lines[:499], "and 202 more") and both.not_carried == (*lines[:499], "and 102 more")
    scene = examples / "inspector.scene.yaml"
    assert Scene.parse(with_edits(scene.read_text(), both), scene, scene.parent).edits == both


def test_what_the_section_cannot_hold_is_told_one_by_one() -> None:
    assert within(ALL) == (ALL, [])
    odd = Edits(
        (CameraEdit("aoi", "Camera_top", "top", 0, distance=400.0), ALL.cameras[0]),
        (LightEdit("aoi", "Key", Directional((0.0, 0.0, 1.0), (1e7, 0.0, 0.0))), ALL.lights[0]),
        (PartEdit("R1", move=(math.nan, 0.0)), PartEdit("R" * 501, removed=True), ALL.parts[0]),
        (MaterialEdit("glow", like="copper", base_color=(2.0, 0.0, 0.0)), *ALL.materials),
        (Paint(("U1",), "copper", "glow"), ALL.paints[0]),
    )
    kept, told = within(odd)
    assert kept == Edits(odd.cameras[1:], odd.lights[1:], odd.parts[2:], odd.materials[1:], odd.paints[1:])
    assert [e for e, _ in told] == [odd.cameras[0], odd.lights[0], *odd.parts[:2], odd.materials[0], odd.paints[0]]
    assert told[0][1] == "distance_m: Input should be less than or equal to 100, and it is '400.0'"
    assert told[-1][1] == "the material 'glow' is not carried"
    many = Edits(materials=tuple(MaterialEdit(f"m{k}", like="copper") for k in range(205)))
    kept, told = within(many)
    assert kept.materials == many.materials[:200] and {why for _, why in told} == {"more than 200 materials changed"}


def test_two_components_change_places_with_their_lands(board: Board) -> None:
    r1, c5 = (next(c for c in board.components if c.reference == r) for r in ("R1", "C5"))
    swap = (c5.x - r1.x, c5.y - r1.y)
    made = redesigned(board, (PartEdit("R1", move=swap), PartEdit("C5", move=(-swap[0], -swap[1]))))
    new = {c.reference: c for c in made.components}
    assert (new["R1"].x, new["R1"].y) == pytest.approx((c5.x, c5.y)) and (new["C5"].x, new["C5"].y) == pytest.approx((r1.x, r1.y))
    for before, after in zip(board.layers, made.layers, strict=True):
        assert len(before.shapes) == len(after.shapes)
        if before.kind in ("copper", "mask", "paste"):
            assert sum(s.area for s in after.shapes) == pytest.approx(sum(s.area for s in before.shapes), rel=1e-9)
    mask = next(a for a in made.layers if a.kind == "mask" and a.side == "front")
    for component in (new["R1"], new["C5"]):
        assert len(drawn_by(component, mask)) == len(component.pads)
    assert made.drills == board.drills and [p.net for p in new["R1"].pads] == [p.net for p in r1.pads]


def test_a_header_takes_its_holes_along(board: Board) -> None:
    made = redesigned(board, (PartEdit("J1", move=(0.0, -2e-3)),))
    j1 = next(c for c in board.components if c.reference == "J1")
    holes = {(round(p.drill.x, 9), round(p.drill.y - 2e-3, 9)) for p in j1.pads if p.drill is not None}
    assert len(holes) == 4 and len(made.drills) == len(board.drills)
    assert {(round(d.x, 9), round(d.y, 9)) for d in made.drills} - {(round(d.x, 9), round(d.y, 9)) for d in board.drills} == holes


def test_a_part_turns_about_its_own_origin(board: Board) -> None:
    made = redesigned(board, (PartEdit("U6", turn=math.pi / 6),))
    old, new = (next(c for c in b.components if c.reference == "U6") for b in (board, made))
    turn = np.array([[math.cos(math.pi / 6), -0.5], [0.5, math.cos(math.pi / 6)]])
    for a, b in zip(old.pads, new.pads, strict=True):
        assert np.array([b.x, b.y]) - (old.x, old.y) == pytest.approx(turn @ (np.array([a.x, a.y]) - (old.x, old.y)), abs=1e-12)
        assert b.outline is not None and b.outline.contains(shapely.Point(b.x, b.y))


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (PartEdit("R77"), "not populated on this side"),
        (PartEdit("R1", like="R77"), "like 'R77'"),
        (PartEdit("R1", like="R2", at=(0.01, 0.01, 0.0)), "is there already"),
        (PartEdit("R1", move=(1.0, 0.0)), "stands off the board"),
    ],
)
def test_an_impossible_design_is_told_in_one_line(edit: PartEdit, told: str, board: Board) -> None:
    with pytest.raises(SceneError, match=told) as error:
        redesigned(board, (edit,))
    assert "\n" not in str(error.value)


def test_paint_is_part_of_a_package(board: Board) -> None:
    from scenes.parts import describe, mesh

    parts = [c for c in board.components if c.reference in ("U1", "U2")]
    packages = [describe(c) for c in parts]
    table = ALL.table()
    painted = repainted(parts, packages, (Paint(("U1",), "epoxy_black", "lime"),), table)
    assert painted[1] is packages[1] and painted[0].key != packages[0].key
    before, after = mesh(packages[0]), mesh(painted[0])
    body = before.material == index("epoxy_black")
    assert (
        body.any() and set(after.material[body]) == {len(TABLE)} and np.array_equal(after.material[~body], before.material[~body])
    )
    assert np.array_equal(before.vertices, after.vertices)
    with pytest.raises(SceneError, match="'pink' is not a material"):
        repainted(parts, packages, (Paint(("U1",), "", "pink"),), table)
