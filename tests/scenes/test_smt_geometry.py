"""Geometry of whole units: volumes, ids, poses and what each state does to the shapes."""
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from part_footprints import CASES, assembly_of, component, grid, healthy, rows, two

from scenes.geometry import PartKind
from scenes.optics import Look
from scenes.parts import mesh
from scenes.smt.geometry import build, component_pose
from scenes.smt.reflow import ROUGHNESS
from scenes.smt.solder import shown_roughness
from scenes.smt.state import BILLBOARD, FLIPPED, Balls, Bridges, Residues, Scratches

STEP = 30.0                                    # [mm] between the parts of the fixture


@pytest.fixture(scope="module")
def everything():
    """One part of each kind, side by side."""
    import math

    parts = []
    for i, (*_, part) in enumerate(CASES):
        shift = (5e-3 + i % 12 * STEP * 1e-3 - part.x, 5e-3 + i // 12 * 12e-3 - part.y)
        pads = tuple(
            replace(p, x=p.x + shift[0], y=p.y + shift[1], drill=p.drill and replace(p.drill, x=p.x + shift[0], y=p.y + shift[1]))
            for p in part.pads
        )
        parts.append(replace(part, reference=f"U{i}", x=part.x + shift[0], y=part.y + shift[1], pads=pads))
    assert math.isfinite(parts[-1].x)
    return assembly_of(parts)


@pytest.fixture(scope="module")
def chips():
    return assembly_of([two("C_0603_1608Metric", 0.775, 0.9, 0.95, reference="C1", at=(5, 5), angle=0.0),
                        two("R_0603_1608Metric", 0.825, 0.8, 0.95, reference="R1", value="10k", at=(10, 5), angle=0.7),
                        rows("SOIC-8_3.9x4.9mm_P1.27mm", 8, 1.27, 2.475, 1.95, 0.6, at=(20, 8), angle=0.0),
                        grid("BGA-36_6x6mm_Layout6x6_P0.8mm", 6, 6, 0.8, 0.4, at=(32, 8), angle=0.0)])


def joint_volumes(assembly, geometry):
    """Volume of every joint's triangles [m³], (J,), by the divergence theorem."""
    soup, first = geometry.soup, 2 + len(assembly.components)
    v, f = soup.vertices.astype(float), soup.faces
    ids = soup.instance[f[:, 0]].astype(int)
    reference = np.zeros((soup.instance.max() + 1, 3))
    reference[soup.instance] = v
    a, b, c = (v[f[:, i]] - reference[ids] for i in range(3))
    total = np.bincount(ids, np.einsum("ij,ij->i", a, np.cross(b, c)) / 6, minlength=first + len(assembly.joints))
    return total[first:first + len(assembly.joints)]


def of(geometry, ident):
    """Vertices of one instance in the soup."""
    return geometry.soup.vertices[geometry.soup.instance == ident]


def test_every_joint_of_every_kind_holds_its_volume(everything):
    state = healthy(everything)
    for factor in (0.3, 1.0, 2.2):
        unit = replace(state, volume=state.volume * factor)
        geometry = build(everything, None, unit, Look())
        assert joint_volumes(everything, geometry) == pytest.approx(unit.volume, rel=0.01, abs=1e-16)


def test_every_body_of_the_soup_is_closed(everything):
    geometry = build(everything, None, healthy(everything), Look())
    whole = trimesh.Trimesh(geometry.soup.vertices.astype(float), geometry.soup.faces.astype(np.int64), process=False)
    assert whole.is_winding_consistent and whole.is_watertight


def test_ids_and_parts(everything):
    geometry = build(everything, None, healthy(everything), Look())
    shown = np.sort(np.concatenate([i.instance for i in geometry.instances]))
    assert np.array_equal(shown, everything.component_ids)
    assert np.array_equal(np.unique(geometry.soup.instance), everything.joint_ids[healthy(everything).volume > 1e-18])
    assert set(np.unique(geometry.soup.part)) == {int(PartKind.JOINT)}
    for group in geometry.instances:
        assert group.pose.shape == (len(group.instance), 4, 4) and group.tint.shape == (len(group.instance), 3)
        assert (group.marking < len(geometry.markings)).all()


def test_same_state_same_bytes(chips):
    a, b = (build(chips, None, healthy(chips), Look(marking_seed=4)) for _ in range(2))
    assert a.soup.vertices.tobytes() == b.soup.vertices.tobytes() and a.soup.normals.tobytes() == b.soup.normals.tobytes()
    assert [i.tint.tobytes() for i in a.instances] == [i.tint.tobytes() for i in b.instances]


def test_a_window_keeps_ids_and_shapes(chips):
    state = healthy(chips)
    whole, part = build(chips, None, state, Look()), build(chips, None, state, Look(), window=(4e-3, 4e-3, 6.5e-3, 6e-3))
    assert {int(v) for i in part.instances for v in i.instance} == {2}
    assert set(np.unique(part.soup.instance)) == {6, 7}
    for ident in (6, 7):
        assert np.array_equal(of(whole, ident), of(part, ident))


def test_solder_touches_the_termination(chips):
    """The fillet's crest lies on the end face of the chip, between the land and the top of the termination."""
    geometry = build(chips, None, healthy(chips), Look())
    points = of(geometry, 7) - [5e-3, 5e-3, 0]                            # the joint at +x of C1
    crest = points[points[:, 2].argmax()]
    assert crest[0] == pytest.approx(0.8e-3, abs=5e-6) and 0.2e-3 < crest[2] < 0.8e-3
    assert points[:, 0].max() == pytest.approx(0.775e-3 + 0.45e-3, rel=0.02)


def test_a_shifted_part_has_lopsided_fillets(chips):
    state = healthy(chips)
    state.offset[0] = 0.2e-3, 0.0
    geometry = build(chips, None, state, Look())
    left, right = of(geometry, 6), of(geometry, 7)
    assert right[right[:, 2].argmax(), 0] - 5e-3 == pytest.approx(1.0e-3, abs=5e-6)
    assert left[:, 2].max() < right[:, 2].max()                           # more room in front of the left end: a lower fillet


def lowest(chips, state, c):
    pose = component_pose(chips, state)[c]
    points = mesh(chips.packages[c]).vertices.astype(float)
    return points @ pose[:3, :3].T + pose[:3, 3]


@pytest.mark.parametrize("degrees", [5, 40, 90])
def test_a_tombstone_stands_on_its_end_and_never_sinks(chips, degrees):
    state = healthy(chips)
    direction = chips.packages[0].terminals[1].direction
    state.lift[0], state.lift_axis[0] = np.radians(degrees), direction
    state.wetted[0], state.gap[0] = False, 1e-3
    points = lowest(chips, state, 0)
    assert points[:, 2].min() >= state.standoff[0] - 60e-6                 # the rounded edge of the cap, not the board
    assert points[:, 2].max() >= 1.6e-3 * np.sin(np.radians(degrees))
    foot = points[points[:, 2].argmin()]
    assert foot[0] - 5e-3 == pytest.approx(0.8e-3, abs=0.1e-3)             # the end that stays down is where it was
    geometry = build(chips, None, state, Look())
    open_land = of(geometry, 6)
    assert open_land[open_land[:, 2].argmax(), 0] == pytest.approx(
        5e-3 - 0.775e-3, abs=1e-5
    )  # a dome in the middle of the bare land
    assert joint_volumes(chips, geometry) == pytest.approx(state.volume, rel=0.01, abs=1e-16)


@pytest.mark.parametrize("orientation, height", [(BILLBOARD, 0.8), (FLIPPED, 0.45)])
def test_turned_over_parts_lie_on_the_board(chips, orientation, height):
    state = healthy(chips)
    state.orientation[1] = orientation
    points = lowest(chips, state, 1)
    assert points[:, 2].min() == pytest.approx(state.standoff[1], abs=25e-6)
    assert np.ptp(points[:, 2]) == pytest.approx(height * 1e-3, rel=0.04)
    assert points[:, :2].mean(axis=0) == pytest.approx(chips.position[1], abs=0.06e-3)
    pose = component_pose(chips, state)[1]
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1) and np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
    if orientation == FLIPPED:
        assert pose[2, 2] == -1


def test_a_missing_part_leaves_paste_on_its_lands(chips):
    state = healthy(chips)
    state.present[0] = False
    geometry = build(chips, None, state, Look())
    assert 2 not in {int(v) for i in geometry.instances for v in i.instance}
    assert set(geometry.soup.part[np.isin(geometry.soup.instance, (6, 7))]) == {int(PartKind.PASTE)}


def test_a_half_turn_swaps_the_ends_and_keeps_the_fillets(chips):
    state = healthy(chips)
    straight = build(chips, None, state, Look())
    state.rotation[0] = np.pi
    turned = build(chips, None, state, Look())
    for ident in (6, 7):
        assert of(turned, ident) == pytest.approx(of(straight, ident), abs=2e-7)


def test_a_lifted_lead_stands_clear_of_its_solder_by_the_gap(chips):
    state = healthy(chips)
    joint = int(np.flatnonzero(chips.joints.component == 2)[0])
    state.gap[joint], state.wetted[joint] = 80e-6, False
    geometry = build(chips, None, state, Look())
    item = next(i for i in geometry.instances if 4 in i.instance)
    points = item.mesh.vertices.astype(float) @ item.pose[0][:3, :3].T + item.pose[0][:3, 3]
    near = np.hypot(*(points[:, :2] - chips.joints.term_center[joint]).T) < 0.4e-3
    foot = points[near & (item.mesh.part == PartKind.LEAD)][:, 2].min()
    assert foot - of(geometry, 2 + 4 + joint)[:, 2].max() == pytest.approx(80e-6, abs=2e-6)
    assert item.mesh is not mesh(chips.packages[2])


def test_bga_balls_reach_from_land_to_substrate(chips):
    """Collapsed height and greatest width of a spherical segment with the joint's volume between two equal discs."""
    state = healthy(chips)
    joint = int(np.flatnonzero(chips.joints.component == 3)[7])
    a, v = 0.2e-3, state.volume[joint]
    h = np.roots([np.pi / 6, 0, np.pi * a**2, -v])
    h = float(h[np.abs(h.imag) < 1e-12].real[0])
    points = of(build(chips, None, state, Look()), 2 + 4 + joint).astype(float)
    assert np.ptp(points[:, 2]) == pytest.approx(h, rel=0.01)
    assert np.ptp(points[:, 0]) == pytest.approx(2 * np.hypot(a, h / 2), rel=0.01)


def test_head_in_pillow_is_two_bodies_with_a_gap(chips):
    state = healthy(chips)
    joint = int(np.flatnonzero(chips.joints.component == 3)[0])
    state.gap[joint], state.wetted[joint] = 15e-6, False
    geometry = build(chips, None, state, Look())
    mine = geometry.soup.instance[geometry.soup.faces[:, 0]] == 2 + 4 + joint
    whole = trimesh.Trimesh(geometry.soup.vertices.astype(float), geometry.soup.faces[mine].astype(np.int64), process=False)
    parts = sorted(whole.split(only_watertight=False), key=lambda b: b.bounds[0, 2])
    assert len(parts) == 2 and all(p.is_watertight for p in parts)
    assert parts[1].bounds[0, 2] - parts[0].bounds[1, 2] == pytest.approx(15e-6, abs=1e-6)
    assert joint_volumes(chips, geometry)[joint] == pytest.approx(state.volume[joint], rel=0.01)


def test_loose_things_have_ids_in_state_order(chips):
    state = replace(
        healthy(chips),
        bridges=Bridges(np.array([4], np.int32), np.array([5], np.int32), np.array([0.2e-3]), np.array([0.08e-3])),
        balls=Balls(np.array([[7e-3, 5e-3]]), np.array([0.2e-3])),
        residues=Residues(
            np.array([[8e-3, 4e-3]]),
            np.array([[0.6e-3, 0.3e-3]]),
            np.array([0.5]),
            np.array([1e-5]),
            np.array([0.4]),
            np.array([9], np.uint32),
        ),
        scratches=Scratches(
            np.array([[6e-3, 3e-3]]), np.array([[9e-3, 3e-3]]), np.array([0.2e-3]), np.array([50e-6]), np.array([5e-6])
        ),
    )
    geometry = build(chips, None, state, Look())
    first = 2 + len(chips.components) + len(chips.joints)
    assert set(geometry.soup.part[geometry.soup.instance == first]) == {int(PartKind.BRIDGE)}
    ball = of(geometry, first + 1)
    assert np.ptp(ball[:, 0]) == pytest.approx(0.2e-3, rel=0.03) and ball[:, 2].min() > -5e-6
    residue, scratch = geometry.decals
    assert (residue.instance, residue.part) == (first + 2, PartKind.RESIDUE) and (scratch.instance, scratch.part) == (
        first + 3,
        PartKind.SCRATCH,
    )
    assert residue.outline.is_valid and residue.outline.area == pytest.approx(np.pi * 0.6e-3 * 0.3e-3, rel=0.3)
    assert scratch.outline.is_valid and scratch.outline.area == pytest.approx(3e-3 * 50e-6, rel=0.15)
    bridge = of(geometry, first)                                          # joins the two lands that it names
    for joint in (4, 5):
        assert np.hypot(*(bridge[:, :2] - chips.joints.land_center[joint]).T).min() < np.hypot(*chips.joints.land_size[joint]) / 2


def test_a_wrong_part_is_drawn_in_place_of_the_right_one(chips):
    from scenes.parts import describe

    other = describe(two("C_0402_1005Metric", 0.48, 0.56, 0.62, reference="C1"))
    state = replace(healthy(chips), substitutes=(other,))
    state.substitute[0] = 0
    geometry = build(chips, None, state, Look())
    item = next(i for i in geometry.instances if 2 in i.instance)
    assert item.mesh is mesh(other)
    assert joint_volumes(chips, geometry) == pytest.approx(state.volume, rel=0.01, abs=1e-16)


def test_through_joints_fill_their_holes():
    header = assembly_of(
        [
            component(
                "PinHeader_1x04_P2.54mm_Vertical", [(i, 0, -2.54 * i, 1.7, 1.7, "circle", 1.0) for i in range(4)], reference="J1"
            )
        ]
    )
    geometry = build(header, None, healthy(header), Look())
    points = of(geometry, 3)
    assert points[:, 2].min() < -1.6e-3 and points[:, 2].max() > 0.1e-3
    assert joint_volumes(header, geometry) == pytest.approx(header.joints.nominal_volume, rel=0.01)


def test_a_healthy_joint_is_as_shiny_as_its_look_and_a_cold_one_is_dull():
    shown = shown_roughness(np.array([0.10, ROUGHNESS[0], 0.20, 0.44]), 0.16)
    assert np.allclose(shown[:2], 0.16) and shown[2] > 0.3 and shown[3] > 0.55
    assert shown[3] ** 2 == pytest.approx(0.16 ** 2 + 0.44 - ROUGHNESS[0])
