"""Rules at their thresholds, precedence between them, profiles. States are edited by hand: no process is involved."""
from dataclasses import replace

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from smt_fixture import MM, board_of, chip, example, qfn, soic

from scenes.errors import AssetError, SceneError
from scenes.smt.acceptance import effective_pose, findings, void_share
from scenes.smt.assembly import assemble
from scenes.smt.geometry import residue_outline
from scenes.smt.layout import layout
from scenes.smt.process import Process
from scenes.smt.profile import FOLDER, load_profile, read_profile
from scenes.smt.reflow import ball_radius
from scenes.smt.simulate import simulate
from scenes.smt.state import BILLBOARD, FLIPPED, Balls, Bridges, Residues, Scratches, Voids
from scenes.smt.taxonomy import DEFECTS, TAXONOMY

EXACT = settings(deadline=None, derandomize=True, max_examples=60)
CLASS2, CLASS3 = load_profile("class2"), load_profile("class3")


def ideal(assembly):
    """A unit in which nothing is off nominal."""
    state = simulate(assembly, Process(), np.random.default_rng(0))
    parts, joints = len(assembly.components), len(assembly.joints)
    none, pairs = np.zeros(0), np.zeros((0, 2))
    return replace(state, offset=np.zeros((parts, 2)), rotation=np.zeros(parts), volume=assembly.joints.nominal_volume.copy(),
                   roughness=np.full(joints, 0.12), gap=np.zeros(joints), wetted=np.ones(joints, bool),
                   balls=Balls(pairs, none), voids=Voids(np.zeros(0, np.int32), np.zeros((0, 3)), none),
                   residues=Residues(pairs, pairs, none, none, none, np.zeros(0, np.uint32)))


def edit(array, index, value):
    array = array.copy()
    array[index] = value
    return array


def defects(assembly, state, profile=CLASS2):
    return [f for f in findings(assembly, state, profile) if f.defect]


def names(assembly, state, profile=CLASS2):
    return [f.defect for f in defects(assembly, state, profile)]


def one(*parts):
    board, packages = board_of(parts)
    return assemble(board, "front", packages, 0.12 * MM)


R0603 = one(("R1", chip("0603"), 20, 20, 0.7))
ACROSS = np.array([-np.sin(0.7), np.cos(0.7)])
ALONG = np.array([np.cos(0.7), np.sin(0.7)])


def part_of(kind):
    return next(i for i, p in enumerate(example().packages) if p.kind == kind)


def test_a_perfect_unit_has_one_good_finding_per_part():
    a = example()
    found = findings(a, ideal(a), CLASS3)
    assert [f.defect for f in found] == [""] * len(a.components)
    assert [f.category for f in found] == [p.kind for p in a.packages]
    assert [f.instances for f in found] == [(2 + c,) for c in range(len(a.components))]
    assert all(f.category in TAXONOMY.parts for f in found)


@EXACT
@given(st.floats(-1.2, 1.2, allow_subnormal=False))
def test_side_overhang_of_a_chip(shift):
    """0603: W = 0.8, P = 0.9 mm. Overhang A = |shift| − 0.05 mm; limits 0.4 (class 2) and 0.2 mm (class 3)."""
    state = replace(ideal(R0603), offset=np.array([shift * MM * ACROSS]))
    overhang = max(abs(shift) - 0.05, 0)
    for profile, limit in ((CLASS2, 0.4), (CLASS3, 0.2)):
        found = defects(R0603, state, profile)
        if abs(overhang - limit) < 1e-6:
            continue
        assert [f.defect for f in found] == ["shift"] * (overhang > limit)
        if found:
            assert found[0].severity == pytest.approx(overhang * MM, abs=1e-9)
            assert found[0].rule == "side_overhang" and found[0].host == "R1" and found[0].instances == (2,)


@EXACT
@given(st.floats(0, 0.4, allow_subnormal=False))
def test_end_overhang_of_a_chip_is_not_permitted(shift):
    """The land reaches 0.15 mm past the termination; past that, only the measuring tolerance of 25 µm is left."""
    state = replace(ideal(R0603), offset=np.array([shift * MM * ALONG]))
    overhang = shift - 0.15
    if abs(overhang - 0.025) < 1e-6:
        return
    found = defects(R0603, state)
    assert [f.rule for f in found] == ["end_overhang"] * (overhang > 0.025)
    if found:
        assert found[0].severity == pytest.approx(overhang * MM, abs=1e-9)


def test_gull_wing_overhang_is_limited_by_width_and_by_half_a_millimetre():
    a = one(("U1", soic(8), 20, 20, 0.0))                                 # lead 0.4, land 0.6 mm: 0.1 mm to spare
    for overhang, expected in ((0.19, []), (0.21, ["shift"])):
        state = replace(ideal(a), offset=np.array([[0.0, (overhang + 0.1) * MM]]))
        assert names(a, state) == expected
        assert names(a, state, CLASS3) == ["shift"]


def test_a_land_too_short_by_design_is_no_defect():
    package, pads = chip("0603")
    short = one(("R1", (package, [(n, np.sign(x) * 0.5, y, 0.4, 0.9) for n, x, y, *_ in pads]), 20, 20, 0.0))
    assert layout(short).end == pytest.approx([0.1 * MM] * 2)
    assert names(short, ideal(short)) == []
    state = replace(ideal(short), offset=np.array([[0.05 * MM, 0.0]]))
    assert [f.severity for f in defects(short, state)] == [pytest.approx(0.05 * MM)]


@EXACT
@given(st.floats(-60, 60, allow_subnormal=False))
def test_rotation_threshold_and_severity(degrees):
    state = replace(ideal(R0603), rotation=np.array([np.radians(degrees)]))
    found = [f for f in defects(R0603, state) if f.defect == "rotation"]
    if abs(abs(degrees) - 5) > 1e-6:
        assert bool(found) == (abs(degrees) > 5)
    if found:
        assert found[0].severity == pytest.approx(abs(np.radians(degrees)), abs=1e-12)


def test_rotation_comes_before_shift_unless_both():
    a = one(("U1", soic(8), 20, 20, 0.3))
    turned = replace(ideal(a), rotation=np.array([np.radians(12)]))
    assert names(a, turned) == ["rotation"]
    slight = replace(ideal(a), rotation=np.array([np.radians(4)]))
    moved = replace(turned, offset=0.5 * MM * np.array([[-np.sin(0.3), np.cos(0.3)]]))
    assert names(a, moved) == ["shift", "rotation"]
    assert names(a, slight, CLASS3)[-1] == "rotation"


def test_fine_turns_that_push_leads_off_are_shifts():
    a = one(("U1", qfn(), 20, 20, 0.0))
    state = replace(ideal(a), rotation=np.array([np.radians(4.9)]))
    assert names(a, state) == ["shift"]


@pytest.mark.parametrize(("share", "class2", "class3"), [
    (0.49, ["insufficient"], ["insufficient"]), (0.51, [], ["insufficient"]), (0.61, [], []), (1.39, [], []),
    (1.41, [], ["excess"]), (1.51, ["excess"], ["excess"])])
def test_volume_thresholds(share, class2, class3):
    state = ideal(R0603)
    state = replace(state, volume=edit(state.volume, 1, share * R0603.joints.nominal_volume[1]))
    for profile, expected in ((CLASS2, class2), (CLASS3, class3)):
        found = defects(R0603, state, profile)
        assert [f.defect for f in found] == expected
        for f in found:
            assert f.severity == pytest.approx(share) and f.instances == (4,) and f.pads == ("2",) and f.host == "R1"


@pytest.mark.parametrize(("alpha", "expected"), [(0.19, []), (0.21, ["cold_joint"])])
def test_cold_joint_threshold(alpha, expected):
    state = replace(ideal(R0603), roughness=np.array([0.12, alpha]))
    assert names(R0603, state) == expected


@pytest.mark.parametrize("limit", [0.25, 0.30])
def test_void_limit_and_its_volume(limit):
    """One sphere with 25 (30) % of the area is 12.5 (16.4) % of the volume of a ball (domain reference 2.1.2)."""
    a = example()
    rules = CLASS2.rules.model_copy(update={"void_share": CLASS2.rules.void_share.model_copy(update={"limit": limit})})
    profile = CLASS2.model_copy(update={"rules": rules})
    ball, state = int(np.flatnonzero(layout(a).ball)[0]), ideal(a)
    radius = ball_radius(a, state.standoff)[ball]
    for share, expected in ((limit - 1e-6, []), (limit + 1e-6, ["bga_void"])):
        state = replace(state, voids=Voids(np.array([ball], np.int32), np.zeros((1, 3)), np.array([np.sqrt(share) * radius])))
        found = defects(a, state, profile)
        assert [f.defect for f in found] == expected
        assert void_share(a, state)[ball] == pytest.approx(share)
    of_ball = found[0].measured["void_volume"] / (4 / 3 * np.pi * radius**3)
    assert of_ball == pytest.approx({0.25: 0.125, 0.30: 0.164}[limit], abs=5e-4)


def test_pillow_and_lifted_leads():
    a = example()
    ball, lead = int(np.flatnonzero(layout(a).ball)[3]), int(np.flatnonzero(layout(a).gullwing)[3])
    state = ideal(a)
    state = replace(state, gap=edit(edit(state.gap, ball, 3e-6), lead, 50e-6), wetted=edit(state.wetted, [ball, lead], False))
    assert [(f.defect, f.severity) for f in defects(a, state)] == [("head_in_pillow", 3e-6), ("lifted_lead", 50e-6)]


def test_a_gap_for_want_of_solder_is_insufficient_not_lifted():
    a = one(("U1", soic(8), 20, 20, 0.0))
    state, area = ideal(a), a.joints.land_size[0].prod()
    nominal = a.joints.nominal_volume[0]
    little = replace(state, volume=edit(state.volume, 0, 0.1 * nominal), wetted=edit(state.wetted, 0, False))
    low_foot = replace(little, gap=edit(state.gap, 0, 0.5 * nominal / area))
    assert names(a, low_foot) == ["insufficient"]
    high_foot = replace(little, gap=edit(state.gap, 0, 1.5 * nominal / area))
    assert names(a, high_foot) == ["insufficient", "lifted_lead"]


def test_missing_has_its_land_pattern_and_nothing_else():
    state = replace(ideal(R0603), present=np.array([False]), volume=R0603.joints.nominal_volume * 0.1)
    (found,) = findings(R0603, state, CLASS2)
    assert found.defect == "missing" and found.instances == () and np.isnan(found.severity)
    assert found.region.area == pytest.approx(2 * 0.8 * 0.9 * MM**2)


def test_a_tombstone_is_not_also_shifted_or_insufficient():
    state = replace(ideal(R0603), lift=np.array([1.2]), offset=np.array([[1.0 * MM, 0.0]]),
                    volume=R0603.joints.nominal_volume * 0.1)
    (found,) = defects(R0603, state)
    assert found.defect == "tombstone" and found.severity == 1.2
    assert names(R0603, replace(ideal(R0603), lift=np.array([np.radians(9)]))) == []


@pytest.mark.parametrize(("orientation", "expected"), [(BILLBOARD, "billboard"), (FLIPPED, "flipped")])
def test_orientation(orientation, expected):
    assert names(R0603, replace(ideal(R0603), orientation=np.array([orientation], np.int32))) == [expected]


def test_polarity_is_a_half_turn_about_the_terminals_of_a_part_that_has_one():
    a = example()
    state = ideal(a)
    for kind, expected in (("chip_led", ["polarity"]), ("chip_resistor", []), ("soic", ["polarity"])):
        c = part_of(kind)
        assert names(a, replace(state, rotation=edit(state.rotation, c, np.pi))) == expected
        assert names(a, replace(state, rotation=edit(state.rotation, c, -np.pi + 0.01))) == expected


def test_a_half_turn_about_another_origin_is_undone_exactly():
    package, pads = chip("0603", "chip_led", polarised=True)
    moved = replace(package, center=(1 * MM, 0.5 * MM), terminals=tuple(
        replace(t, center=(t.center[0] + 1 * MM, t.center[1] + 0.5 * MM)) for t in package.terminals))
    a = one(("D1", (moved, [(n, x + 1, y + 0.5, w, h) for n, x, y, w, h in pads]), 20, 20, 0.4))
    middle = layout(a).centroid[0]
    assert np.hypot(*middle) == pytest.approx(np.hypot(1, 0.5) * MM)
    state = replace(ideal(a), rotation=np.array([np.pi]), offset=np.array([2 * middle]))
    offset, rotation, turned = effective_pose(layout(a), state)
    assert offset == pytest.approx(np.zeros((1, 2)), abs=1e-12) and rotation == pytest.approx([0], abs=1e-12) and turned.all()
    assert names(a, state) == ["polarity"]


def test_a_wrong_part_is_only_that():
    a = example()
    c = part_of("chip_resistor")
    state = ideal(a)
    state = replace(state, substitute=edit(state.substitute, c, 0), substitutes=(a.packages[c + 2],),
                    offset=edit(state.offset, c, 5e-4))
    assert [(f.defect, f.host) for f in defects(a, state)] == [("wrong_part", a.components[c].reference)]


def test_bridges_and_loose_things_have_their_own_ids_in_order():
    a = example()
    first = 2 + len(a.components) + len(a.joints)
    pairs = layout(a)
    state = replace(
        ideal(a), bridges=Bridges(pairs.first[:2], pairs.second[:2], np.array([1e-4, 2e-4]), np.array([4e-5, 8e-5])),
        balls=Balls(np.array([[0.01, 0.01], [0.02, 0.02]]), np.array([129e-6, 131e-6])),
        residues=Residues(np.full((3, 2), 0.01), np.array([[8e-4, 2e-4], [3e-4, 3e-4], [8e-4, 5e-4]]), np.zeros(3),
                          np.full(3, 5e-6), np.array([0.3, 0.3, 0.05]), np.arange(3, dtype=np.uint32)),
        scratches=Scratches(np.zeros((2, 2)), np.array([[3e-3, 4e-3], [3e-4, 0]]), np.zeros(2), np.full(2, 50e-6),
                            np.full(2, 5e-6)))
    found = defects(a, state)
    assert [(f.defect, f.instances) for f in found] == [
        ("bridge", (first,)), ("bridge", (first + 1,)), ("solder_ball", (first + 3,)), ("residue", (first + 4,)),
        ("scratch", (first + 7,))]
    assert [f.severity for f in found] == pytest.approx([1e-4, 2e-4, 131e-6, found[3].severity, 5e-3])
    outline = residue_outline(np.zeros(2), np.array([8e-4, 2e-4]), 0.0, 0)
    assert found[3].severity == pytest.approx(pdist(np.array(outline.exterior.coords)).max(), rel=1e-9)
    touched = {a.components[a.joints.component[j]].reference for j in (*pairs.first[:2], *pairs.second[:2])}
    good = {f.host for f in findings(a, state, CLASS2) if not f.defect}
    assert not touched & good and len(good) + len(touched) == len(a.components)


def test_many_small_balls_within_600_square_millimetres():
    at = np.array([[0.01 + 0.002 * i, 0.01] for i in range(7)])
    for count, expected in ((5, 0), (6, 6), (7, 7)):
        state = replace(ideal(R0603), balls=Balls(at[:count], np.full(count, 60e-6)))
        assert len(defects(R0603, state)) == expected
    apart = replace(ideal(R0603), balls=Balls(at * [20, 1], np.full(7, 60e-6)))
    assert defects(R0603, apart) == []


# --- profiles and taxonomy ------------------------------------------------------------------------------------------

def test_shipped_profiles_say_where_their_numbers_come_from():
    for name in ("class2", "class3"):
        text = (FOLDER / f"{name}.yaml").read_text()
        assert "per ipc" not in text.lower()
        rules = load_profile(name).rules
        assert all(getattr(rules, n).provenance in ("engineering-default", "S1", "S2") for n in type(rules).model_fields)
        assert rules.chip_side_overhang.provenance == "S1" and rules.void_share.limit in (0.25, 0.30)
    assert CLASS2.limit("chip_side_overhang") == 0.5 and CLASS3.limit("chip_side_overhang") == 0.25
    assert CLASS2.limit("ball_diameter_um") == pytest.approx(130e-6)
    assert CLASS2.limit("rotation_deg") == pytest.approx(np.radians(5))


def test_class3_is_never_more_lenient():
    upper = [n for n in type(CLASS2.rules).model_fields if n not in ("chip_joint_width", "insufficient_volume")]
    assert all(CLASS3.limit(n) <= CLASS2.limit(n) for n in upper)
    assert CLASS3.limit("chip_joint_width") > CLASS2.limit("chip_joint_width")
    assert CLASS3.limit("insufficient_volume") > CLASS2.limit("insufficient_volume")


@pytest.mark.parametrize(("change", "message"), [
    ({"void_share": {"limit": 0.27, "provenance": "user"}}, r"void_share: .*0\.25 or 0\.30"),
    ({"chip_side_overhang": {"limit": -1, "provenance": "user"}}, "chip_side_overhang.limit"),
    ({"chip_side_overhang": {"limit": 0.5, "provenance": "per IPC"}}, "provenance"),
    ({"chip_side_overhng": {"limit": 0.5, "provenance": "user"}}, "did you mean 'chip_side_overhang'"),
    ({"rotation_deg": {"limit": float("nan"), "provenance": "user"}}, "rotation_deg.limit")])
def test_bad_profiles_are_refused_in_one_line(tmp_path, change, message):
    data = yaml.safe_load((FOLDER / "class2.yaml").read_text())
    data["rules"].update(change)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(SceneError, match=message) as info:
        read_profile(path)
    assert "\n" not in str(info.value) and str(path) in str(info.value)


def test_a_profile_that_is_not_there_says_what_is_possible(tmp_path):
    with pytest.raises(AssetError, match="or say 'class2' or 'class3'"):
        read_profile(tmp_path / "none.yaml")


def test_the_eighteen_defects_in_order():
    assert [d.name for d in DEFECTS] == [
        "missing", "shift", "rotation", "tombstone", "billboard", "flipped", "polarity", "wrong_part", "bridge", "insufficient",
        "excess", "cold_joint", "head_in_pillow", "bga_void", "lifted_lead", "solder_ball", "residue", "scratch"]
    for d in DEFECTS:
        assert len(d.severity_levels) in (0, 3) and bool(d.severity_levels) == bool(d.severity_unit)
        assert all(low < high for low, high in d.severity_levels)
    assert [d.name for d in DEFECTS if "rgb" in d.hidden_from] == ["head_in_pillow", "bga_void"]
    assert TAXONOMY.category_id("missing") == 1 and TAXONOMY.category_id("chip_resistor") == 19
