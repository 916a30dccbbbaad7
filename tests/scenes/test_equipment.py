"""Machines: closed, of plausible size, aligned at the height of the SMEMA standard, and free where a camera looks."""
from __future__ import annotations

import math
import textwrap
from itertools import pairwise

import numpy as np
import pytest
import shapely

from scenes.equipment import LOOKS, Board, Placed, board_of, line_layout
from scenes.equipment.axi import axi
from scenes.equipment.handling import MAGAZINE, conveyor, loader
from scenes.equipment.inspection import Optics, aoi, infrared, spi
from scenes.equipment.oven import ENTRY, EXIT, oven
from scenes.equipment.placer import placer
from scenes.equipment.printer import FRAME, printer
from scenes.equipment.tester import tester as bed_of_nails
from scenes.errors import AssetError, SceneError
from scenes.parts.solids import signed_volume
from scenes.scene import Scene

BOARDS = {"tiny": Board(0.005, 0.004, 0.0008), "usual": Board(0.16, 0.10, 0.0016), "large": Board(0.60, 0.50, 0.0024)}
KINDS = {
    "printer": printer, "spi": lambda b: spi(b, Optics()), "placement": placer, "reflow": oven,
    "aoi": lambda b: aoi(b, Optics()),
    "infrared": lambda b: infrared(b, Optics()), "axi": axi, "test": bed_of_nails, "conveyor": lambda b: conveyor(0.8, b),
    "loader": loader,
}
# Length, depth and height [m] that a process engineer would believe; conveyors are as deep as their rails
BELIEVED = {
    "printer": ((1.1, 1.7), (1.2, 1.8), (1.3, 1.7)), "spi": ((0.7, 1.1), (1.0, 1.6), (1.3, 1.8)),
    "placement": ((1.2, 2.2), (1.6, 2.8), (1.3, 1.8)), "reflow": ((4.0, 7.0), (1.2, 1.7), (1.3, 1.6)),
    "aoi": ((0.8, 1.3), (1.0, 1.7), (1.3, 1.8)), "infrared": ((0.7, 1.3), (1.0, 1.7), (1.3, 1.8)),
    "axi": ((1.4, 2.0), (1.6, 2.2), (1.5, 2.0)), "test": ((0.8, 1.3), (1.0, 1.6), (1.4, 1.9)),
    "conveyor": ((0.5, 2.0), (0.3, 0.8), (0.9, 1.0)), "loader": ((0.8, 1.4), (0.9, 1.4), (1.4, 1.9)),
}


@pytest.fixture(scope="module")
def living(examples):
    return Scene.read(examples / "living_line.scene.yaml")


@pytest.fixture(scope="module")
def line(living):
    return line_layout(living, BOARDS["usual"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", BOARDS)
def test_every_body_is_closed_and_has_a_volume(kind, size):
    for body in KINDS[kind](BOARDS[size]).bodies:
        assert body.shapes
        for shape in body.shapes:
            assert shape.look in LOOKS
            points, index = np.unique(shape.points.round(6), axis=0, return_inverse=True)
            faces = index.ravel()[shape.faces]
            a, b = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
            there, back = np.sort(a * len(points) + b), np.sort(b * len(points) + a)
            assert np.array_equal(there, back), f"{kind}/{body.name}/{shape.look}: an edge has no partner"
            assert (a != b).all()
            assert signed_volume(shape.points.astype(float), shape.faces.astype(int)) > 0
            assert np.abs(np.linalg.norm(shape.normals, axis=1) - 1).max() < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_are_those_of_real_machines(kind):
    machine = KINDS[kind](BOARDS["usual"])
    for value, (low, high) in zip(machine.size, BELIEVED[kind], strict=True):
        assert low <= value <= high
    low, high = machine.bounds()
    assert low[2] == pytest.approx(0.0, abs=1e-6)          # it stands on the floor
    assert high[2] < 2.4                                   # towers and stacks below a ceiling
    assert max(-low[0], high[0]) <= machine.size[0] / 2 + 1e-6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", BOARDS)
def test_what_moves_has_limits_a_mass_and_a_carrier_that_is_there(kind, size):
    machine = KINDS[kind](BOARDS[size])
    names = [b.name for b in machine.bodies]
    assert len(names) == len(set(names))
    moving = [b for b in machine.bodies if b.joint is not None]
    assert moving
    for body in moving:
        joint = body.joint
        assert joint.lower <= 0 <= joint.upper and joint.lower < joint.upper
        assert 0 < body.mass < 300
        assert joint.carrier == "" or machine.body(joint.carrier).joint is not None
        if joint.kind == "prismatic":
            assert math.isfinite(joint.lower) and math.isfinite(joint.upper)
    assert all(b.mass == 0 for b in machine.bodies if b.joint is None)


@pytest.mark.parametrize("kind", KINDS)
def test_axes_stay_in_the_machine_at_both_ends_of_their_travel(kind):
    machine = KINDS[kind](BOARDS["usual"])
    low, high = machine.bounds()
    for body in machine.bodies:
        if body.joint is None or body.joint.kind != "prismatic":
            continue
        axis = "xyz".index(body.joint.axis)
        ends = [(min(s.points[:, axis].min() for s in body.shapes) + body.origin[axis], body.joint.lower),
                (max(s.points[:, axis].max() for s in body.shapes) + body.origin[axis], body.joint.upper)]
        if kind == "conveyor" and body.name == "rail_rear":
            continue                           # a conveyor's rear rail may stand out when it is wide
        assert ends[0][0] + ends[0][1] >= low[axis] - 1e-6, body.name
        assert ends[1][0] + ends[1][1] <= high[axis] + 1e-6, body.name


def test_mass_is_volume_times_density():
    """A shaft of 16 mm: π r² l, turned as a 12-sided prism of sin(30°) 12/2 r² l; AISI 304 has 7900 kg/m³."""
    machine = conveyor(0.8, BOARDS["usual"])
    shaft = machine.body("shaft")
    length = float(np.ptp(shaft.shapes[0].points[:, 1]))
    assert shaft.mass == pytest.approx(7900 * 6 * math.sin(math.radians(30)) * 0.008 ** 2 * length, rel=1e-5)


def test_stations_stand_in_order_with_conveyors_between(living, line):
    assert [p.station for p in line if p.station] == [s.id for s in living.stations]
    kinds = [p.machine.kind for p in line]
    assert kinds[0] == "loader" and kinds[-1] == "unloader"
    assert kinds[1::2] == ["conveyor"] * (len(living.stations) + 1)
    assert len({p.path for p in line}) == len(line)


def test_ports_meet_at_the_height_of_the_standard(line):
    for left, right in pairwise(line):
        out = left.pose @ [*left.machine.port("out").position, 1]
        into = right.pose @ [*right.machine.port("in").position, 1]
        assert out == pytest.approx(into, abs=1e-9)
        assert 0.940 <= out[2] <= 0.965        # IPC-SMEMA-9851


def test_machines_do_not_overlap(line):
    for left, right in pairwise(line):
        assert left.machine.bounds()[1][0] + left.pose[0, 3] <= right.machine.bounds()[0][0] + right.pose[0, 3] + 1e-6


def test_belts_of_neighbours_leave_less_than_a_board_can_bridge(line):
    """IPC-SMEMA-9851 has neighbours' transports within 19 mm; the gap must also be short against the board."""
    def ends(item):
        belts = [s.points[:, 0] + b.origin[0] for b in item.machine.bodies if b.name.startswith("rail_") for s in b.shapes
                 if s.look == "belt"]
        return item.pose[0, 3] + min(x.min() for x in belts), item.pose[0, 3] + max(x.max() for x in belts)
    for left, right in pairwise(line):
        assert 0 < ends(right)[0] - ends(left)[1] < 0.019


@pytest.mark.parametrize("size", BOARDS)
def test_a_board_lies_on_the_belts_between_the_rails(size):
    board = BOARDS[size]
    machine = aoi(board, Optics())
    box = (0.003, -0.002, 0.003 + board.length, -0.002 + board.width)
    pose = Placed("Line/aoi", "aoi", machine, np.eye(4), "aoi").board_pose(box, board.thickness)
    corners = np.array([[x, y, -board.thickness, 1] for x in box[::2] for y in box[1::2]]) @ pose.T
    assert corners[:, 2] == pytest.approx(0.95)
    front, rear = machine.body("rail_front"), machine.body("rail_rear")
    belt = [next(s for s in b.shapes if s.look == "belt").points + b.origin for b in (front, rear)]
    rail = [next(s for s in b.shapes if s.look == "rail").points + b.origin for b in (front, rear)]
    assert max(b[:, 2].max() for b in belt) == pytest.approx(0.95, abs=1e-6)
    assert 0 < corners[:, 1].min() - rail[0][:, 1].max() < 0.001
    assert 0 < rail[1][:, 1].min() - corners[:, 1].max() < 0.001
    assert 0.003 < belt[0][:, 1].max() - corners[:, 1].min() < 0.005       # boards keep 3 to 5 mm free for belts
    assert 0.003 < corners[:, 1].max() - belt[1][:, 1].min() < 0.005


@pytest.mark.parametrize("build", [aoi, spi, infrared, bed_of_nails])
@pytest.mark.parametrize("distance", [0.12, 0.2, 0.45])
@pytest.mark.parametrize("field", [(0.02, 0.02), (0.16, 0.10)])
def test_nothing_stands_between_camera_and_product(build, distance, field):
    """Straight up from every point of the field the first thing is the lens, at the camera's own distance."""
    import trimesh

    board = BOARDS["usual"]
    machine = build(board, Optics(distance, field))
    top = 0.95 + board.thickness
    labels = ("camera", "gantry", "frame", "window", "test_press", "power_supply", "rail")
    inside = [b for b in machine.bodies if b.label in labels]
    points, faces, start = [], [], 0
    for body in inside:
        for shape in body.shapes:
            points.append(shape.points + np.array(body.origin))
            faces.append(shape.faces.astype(int) + start)
            start += len(shape.points)
    mesh = trimesh.Trimesh(np.concatenate(points), np.concatenate(faces), process=False)
    x, y, _ = machine.stop
    reach = 0.02 if field[0] < 0.1 else 0.055                  # a lens smaller than the field is telecentric in name only
    grid = [(x + a, y + b, top) for a in np.linspace(-1, 1, 5) * min(field[0] / 2, reach)
            for b in np.linspace(-1, 1, 5) * min(field[1] / 2, reach)]
    hits, ray, _ = mesh.ray.intersects_location(np.array(grid) + np.array([1e-5, 1e-5, 1e-3]),
                                                np.tile([[0, 0, 1.0]], (len(grid), 1)))
    first = np.full(len(grid), np.inf)
    np.minimum.at(first, ray, hits[:, 2] - top)
    assert first.min() >= distance - 1e-3
    assert np.median(first) == pytest.approx(distance, abs=0.006)          # and it is the lens, not a hole


def test_source_and_detector_of_the_xray_machine_are_where_the_scene_has_them():
    machine = axi(BOARDS["usual"], source_object=0.08, source_detector=0.4)
    source = min(float(s.points[:, 2].min()) for s in machine.body("tube").shapes) + machine.body("tube").origin[2]
    face = max(float(s.points[:, 2].max()) for s in machine.body("detector").shapes) + machine.body("detector").origin[2]
    top = 0.95 + 0.0016
    assert source == pytest.approx(top + 0.08, abs=0.003)
    assert face == pytest.approx(top + 0.08 - 0.4, abs=1e-6)


def test_the_oven_has_the_zones_of_the_scene(living, line):
    machine = next(p.machine for p in line if p.station == "reflow")
    assert sum(b.name.startswith("blower_") for b in machine.bodies) == 10         # zone1 … zone10 in its sensors
    assert machine.size[0] == pytest.approx(10 * 0.35 + ENTRY + EXIT)
    assert sum(b.name.startswith("blower_") for b in oven(BOARDS["usual"], zones=7).bodies) == 7


def test_heads_have_the_nozzles_of_the_scene(line):
    machine = next(p.machine for p in line if p.station == "placement1")
    assert sum(b.name.startswith("nozzle_front_") for b in machine.bodies) == 8    # nozzle1 … nozzle8 in its sensors
    assert sum(b.label == "reel" for b in machine.bodies) >= 2 * 12                # feeder1 … feeder12 and more places


def test_frame_and_magazine_have_their_usual_sizes():
    stencil = printer(BOARDS["usual"]).body("stencil")
    frame = next(s for s in stencil.shapes if s.look == "aluminium")
    assert np.ptp(frame.points, axis=0) == pytest.approx([FRAME, FRAME, 0.038], abs=1e-6)
    assert MAGAZINE == (0.355, 0.320, 0.563)


def test_conveyors_hold_the_boards_that_may_wait(living):
    board = BOARDS["usual"]
    length = {p.path.rsplit("_", 1)[-1]: p.machine.size[0] for p in line_layout(living, board) if p.machine.kind == "conveyor"}
    waiting = {f.station: f.buffer for f in living.production.stations}
    for station in ("axi", "test", "spi"):
        assert length[station] >= waiting[station] * board.length


@pytest.mark.parametrize("kind", ["printer", "reflow", "aoi"])
def test_equal_arguments_give_equal_bytes(kind):
    def built():
        for build in (printer, oven, aoi):
            build.cache_clear()
        return b"".join(s.points.tobytes() + s.normals.tobytes() + s.faces.tobytes() for b in KINDS[kind](BOARDS["tiny"]).bodies
                        for s in b.shapes)
    assert built() == built()


def test_looks_are_physical():
    for look in LOOKS.values():
        assert all(0 <= c <= 1 for c in (*look.base_color, look.metallic, look.roughness, look.opacity))
        assert sum(share for _, share in look.substance.composition) == pytest.approx(1.0)
        assert look.material().density == look.substance.density


def test_board_of_is_the_extent():
    assert board_of((0.01, 0.02, 0.11, 0.07), 0.0016) == Board(0.10, 0.05, 0.0016)


URDF = """\
<robot name="arm"><link name="base"><visual><geometry><box size="0.8 0.6 1.2"/></geometry>
<origin xyz="0 0 0.6"/></visual></link></robot>
"""


def test_authored_machines_stand_in_and_stand_by(examples, tmp_path):
    (tmp_path / "arm.urdf").write_text(URDF)
    text = (examples / "inspector.scene.yaml").read_text().replace("boards/inspector", f"{examples}/boards/inspector")
    text += textwrap.dedent("""
        equipment:
          - {id: axi, model: arm.urdf}
          - {id: robot, model: arm.urdf, position_mm: [2500, 1500, 0], rotation_deg: [0, 0, 90]}
        """)
    (tmp_path / "scene.yaml").write_text(text)
    placed = line_layout(Scene.read(tmp_path / "scene.yaml"))
    stand_in = next(p for p in placed if p.station == "axi")
    assert stand_in.machine.size == pytest.approx((0.8, 0.6, 1.2))
    before, after = (next(p for p in placed if p.path.endswith(n)) for n in ("conveyor_axi", "conveyor_unloader"))
    assert (after.pose - before.pose)[0, 3] == pytest.approx(0.8 + 0.5 * (before.machine.size[0] + after.machine.size[0]))
    robot = placed[-1]
    assert robot.path == "Demo/SMT/Line 1/robot" and robot.station == ""
    low, high = robot.machine.bounds()
    assert low == pytest.approx([2.5 - 0.3, 1.5 - 0.4, 0.0], abs=1e-6) and high == pytest.approx([2.8, 1.9, 1.2], abs=1e-6)


def test_two_authored_machines_have_two_names(examples):
    text = (examples / "inspector.scene.yaml").read_text()
    text += "\nequipment: [{id: axi, model: a.gltf}, {id: robot, model: a.gltf}, {id: axi, model: b.gltf}]\n"
    with pytest.raises(SceneError, match="equipment: id 'axi' is used 2 times; every machine has its own") as error:
        Scene.parse(text, examples / "inspector.scene.yaml", examples)
    assert "\n" not in str(error.value)


def test_authored_machines_are_read_from_the_scene_folder_only(examples, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "arm.urdf").write_text(URDF)
    text = (examples / "inspector.scene.yaml").read_text().replace("boards/inspector", f"{examples}/boards/inspector")
    (tmp_path / "out/scene.yaml").write_text(text + "equipment: [{id: robot, model: ../arm.urdf}]\n")
    with pytest.raises(AssetError, match="outside the allowed folders"):
        line_layout(Scene.read(tmp_path / "out/scene.yaml"))


def test_the_radiation_sign_is_that_of_the_standard():
    """ISO 361: blades of 60° from 1.5 R to 5 R around a disc R: area π R² + 3 · 60/360 · π (25 − 2.25) R²."""
    from scenes.equipment.furniture import radiation_sign

    size = 0.135
    parts = [s for s in radiation_sign(0.0, 0.0, size, 0.0) if s.material == "sign_black"][1:]
    r = 0.085 * size
    area = sum(signed_volume(s.vertices, s.faces) for s in parts) / 0.002
    exact = math.pi * r * r * (1 + 0.5 * (25 - 2.25))
    assert area == pytest.approx(exact, rel=0.02)          # arcs are drawn in steps of 10°
    outline = shapely.union_all([shapely.MultiPoint(s.vertices[:, [0, 2]]).convex_hull for s in parts])
    assert outline.centroid.x == pytest.approx(0.0, abs=1e-9)
