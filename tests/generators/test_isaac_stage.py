"""The stage in the worker: edits by pxr, and deltas that turn one unit into another. No process: pxr alone reads it back."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import render_scene as made
import shapely
from pxr import Gf, Usd, UsdGeom, UsdLux, UsdShade

from generators.render.isaac import arrays, bench
from generators.render.isaac.delta import Sheet, Shown
from generators.render.isaac.lamps import lamps
from generators.render.isaac.messages import Delta, Group, Lamp, Lens, Picture, Pose, Remove, Shape, Show, Surface
from generators.render.isaac.prints import prints_of
from generators.render.isaac.worker import edits
from generators.render.isaac.worker.errors import Refused
from generators.render.isaac.worker.stage import PARTS, Labels, opened
from scenes.geometry import Decal, Geometry, PartKind, merge
from scenes.optics import Directional, Lighting, Look, Ring, looking_down

CAMERA = looking_down("top", (4e-3, 4e-3), 25e-6, 160, 120, roll=0.3)


class Kit:
    """As much of omni.usd as opening a stage takes."""

    def __init__(self, monkeypatch):
        import sys
        import types

        module = types.ModuleType("omni.usd")
        module.get_context = lambda: self
        monkeypatch.setitem(sys.modules, "omni", types.ModuleType("omni"))
        monkeypatch.setitem(sys.modules, "omni.usd", module)
        sys.modules["omni"].usd = module

    def open_stage(self, url):
        self.stage = Usd.Stage.Open(url)
        return True

    def get_stage(self):
        return self.stage

    def update(self):
        pass


def stage_of(geometry, folder, monkeypatch, look=None):
    """A stage as the worker has it after open_stage, what it shows, and how many prims were instanced."""
    contents = bench.told(geometry, CAMERA, look or Look())
    paths = bench.written(contents, folder / "stage")
    stage, found = opened(Kit(monkeypatch), folder / "stage" / "line.usda")
    return stage, Shown.of(contents, paths), found


def applied(stage, sheet, folder, stem="d"):
    """Through the protocol's own types, as the worker gets it."""
    files = arrays.saved(sheet.arrays(), folder, stem)
    delta = Delta(id=1, arrays=files, edits=tuple(sheet.edits)).model_dump(mode="json")
    loaded = {name: edits.loaded(folder / file, name) for name, file in delta["arrays"].items()}
    edits.apply(stage, delta["edits"], loaded, folder)


def shown_by(stage):
    """(label id, part) → every visible triangle of it in the board frame, sorted; films and marks aside from their few µm."""
    out: dict[tuple[int, int], list[np.ndarray]] = {}
    labels, cache = Labels(stage), UsdGeom.XformCache()
    frame = next(p for p in stage.Traverse() if p.GetName() == "Bench")
    home = np.linalg.inv(np.array(cache.GetLocalToWorldTransform(frame)))
    for prim in stage.Traverse():
        if prim.IsA(UsdGeom.Mesh) and UsdGeom.Imageable(prim).ComputeVisibility() != "invisible":
            key = labels(str(prim.GetPath()))
            assert key is not None, prim.GetPath()
            mesh, place = UsdGeom.Mesh(prim), np.array(cache.GetLocalToWorldTransform(prim)) @ home
            points = np.array(mesh.GetPointsAttr().Get()) @ place[:3, :3] + place[3, :3]
            out.setdefault(key, []).append(points[np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)])
    return {key: ordered(np.concatenate(value)) for key, value in out.items()}


def ordered(triangles):
    """Triangles (T, 3, 3) by place, each from its first corner, rounded to 10 nm."""
    grid = np.round(triangles / 1e-8).astype(np.int64)
    first = np.array([min(range(3), key=lambda k: tuple(t[k])) for t in grid])
    grid = np.stack([grid[np.arange(len(grid)), (first + k) % 3] for k in range(3)], axis=1)
    return grid[np.lexsort(grid.reshape(-1, 9).T)]


def same(a, b):
    assert set(a) == set(b)
    for key in a:
        assert a[key].shape == b[key].shape and np.abs(a[key] - b[key]).max() <= 1, key


@pytest.fixture(scope="module")
def board():
    return made.board(2)


def rows(group, which):
    """Some of the instances of one mesh."""
    return replace(group, **{name: getattr(group, name)[which] for name in ("pose", "instance", "tint", "marking")})


def other(board):
    """Part 2 gone, part 3 moved, part 4 a smaller one, the ball elsewhere and duller, one more ball, one film less, one new."""
    first, second = board.instances
    moved = first.pose.copy()
    moved[1] = made.pose(3.4e-3, 1.2e-3, 0.1e-3, 0.8)
    small = made.chip(0.6e-3, 0.3e-3, 0.2e-3)
    return Geometry(board.slab, (
        replace(rows(first, np.s_[1:]), pose=moved[1:], tint=first.tint[1:] * np.float32(0.5)),
        replace(rows(second, np.s_[:1]), mesh=small), rows(second, np.s_[1:])),
        merge([made.ball((2e-3, 2.2e-3, 0.2e-3), 0.2e-3, 6, roughness=0.5, part=PartKind.JOINT),
               made.ball((5e-3, 2.2e-3, 0.2e-3), 0.2e-3, 9)]),
        (board.decals[0], Decal(shapely.Point(6e-3, 2e-3).buffer(0.5e-3), 10, PartKind.RESIDUE, (0.4, 0.3, 0.1), 0.5, 0.3)),
        board.markings)


# ------------------------------------------------------------------------------------------------ deltas

def test_the_stage_as_opened(board, tmp_path, monkeypatch):
    stage, _, found = stage_of(board, tmp_path, monkeypatch)
    assert found["instanced"] == 4 and not any(p.IsInstance() for p in stage.Traverse())
    assert found["meshes"] == sum(p.IsA(UsdGeom.Mesh) for p in stage.Traverse()) == 2 + 4 * 2 + 1 + 2
    ids = {key[0] for key in shown_by(stage)}
    assert ids == {1, 2, 3, 4, 5, 6, 7, 8}
    assert {PARTS[key[1]] for key in shown_by(stage)} == {"board", "body", "lead", "ball", "residue", "scratch"}


def test_stage_and_delta_show_what_the_other_stage_shows(board, tmp_path, monkeypatch):
    """And back again, and forth: what was hidden comes back, what was made stays one prim."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    there = other(board)
    wanted = [shown_by(stage_of(g, tmp_path / n, monkeypatch)[0]) for g, n in ((there, "b"), (board, "a"))]
    stage, shown, _ = stage_of(board, tmp_path, monkeypatch)
    before = {layer.identifier: layer.ExportToString() for layer in stage.GetUsedLayers() if not layer.anonymous}
    meshes = []
    for number, (geometry, goal) in enumerate(((there, wanted[0]), (board, wanted[1])) * 2):
        sheet = Sheet()
        shown.to_unit(bench.unit_of(geometry), geometry.materials, sheet)
        applied(stage, sheet, tmp_path, f"d{number}")
        same(shown_by(stage), goal)
        meshes.append(sum(p.IsA(UsdGeom.Mesh) for p in stage.Traverse()))
    assert meshes[2:] == meshes[:2]
    assert before == {layer.identifier: layer.ExportToString() for layer in stage.GetUsedLayers() if not layer.anonymous}


def test_an_id_that_comes_back_as_another_thing_is_that_thing_alone(board, tmp_path, monkeypatch):
    """A bridge that the stage brought, something else, nothing, then a ball with its id: no mesh of the bridge is seen again."""
    at = (2e-3, 2.2e-3, 0.2e-3)
    units = {"bridge": made.ball(at, 0.3e-3, 77, part=PartKind.BRIDGE), "ball": made.ball(at, 0.2e-3, 77),
             "joint": made.ball(at, 0.1e-3, 77, part=PartKind.JOINT),
             "both": merge([made.ball(at, 0.3e-3, 77, part=PartKind.BRIDGE), made.ball(at, 0.25e-3, 77, part=PartKind.JOINT)])}
    stage, shown, _ = stage_of(replace(board, soup=units["both"]), tmp_path, monkeypatch)
    for number, name in enumerate(("joint", None, "ball", "bridge", None, "joint", "both", "ball")):
        soup = board.soup if name is None else units[name]
        sheet = Sheet()
        shown.to_unit(bench.unit_of(replace(board, soup=soup)), board.materials, sheet)
        applied(stage, sheet, tmp_path, f"d{number}")
        seen = {PARTS[part] for instance, part in shown_by(stage) if instance == 77}
        assert seen == ({"bridge", "joint"} if name == "both" else {name} - {None}), name


def test_a_delta_is_as_small_as_the_difference(board, tmp_path, monkeypatch):
    _, shown, _ = stage_of(board, tmp_path, monkeypatch)

    def to(geometry):
        sheet = Sheet()
        shown.to_unit(bench.unit_of(geometry), geometry.materials, sheet)
        return sheet

    assert to(board).edits == [] and to(board).arrays() == {}
    first = board.instances[0]
    pose = first.pose.copy()
    pose[0, 0, 3] += 1e-4
    moved = to(replace(board, instances=(replace(first, pose=pose), *board.instances[1:])))
    assert [type(e) for e in moved.edits] == [Pose] and moved.edits[0].matrix == tuple(pose[0].ravel().tolist())
    to(board)
    gone = to(replace(board, instances=board.instances[1:]))
    assert gone.edits == [Show(path=p, visible=False) for p in sorted(e.path for e in gone.edits)] and len(gone.edits) == 2
    assert [(e.visible) for e in to(board).edits] == [True, True]
    ball = to(replace(board, soup=made.ball((2e-3, 2.2e-3, 0.2e-3), 0.2e-3, 6)))
    assert [type(e) for e in ball.edits] == [Group, Shape] and ball.edits[1].part == "ball"
    assert len(ball.arrays()["points"]) == 642                       # an icosphere of three subdivisions
    assert [type(e) for e in to(replace(board, soup=made.ball((0, 0, 0), 1e-4, 7))).edits] == [Remove, Group, Shape]


def test_tints_and_marks(board, tmp_path, monkeypatch):
    """A tint is the body's own colour, a mark a plate over its top that carries the part's id."""
    first = board.instances[0]
    tinted = replace(board, instances=(replace(first, tint=np.full((2, 3), 0.5, np.float32), marking=np.array([0, -1], np.int32)),
                                       replace(board.instances[1], marking=np.array([-1, -1], np.int32))))
    stage, shown, _ = stage_of(tinted, tmp_path, monkeypatch)
    prints = prints_of(tinted, Look())
    assert [m.instance for m in prints.marks] == [2]
    sheet = Sheet()
    shown.to_unit(bench.unit_of(tinted), tinted.materials, sheet)
    from PIL import Image

    Image.fromarray(prints.picture).save(tmp_path / "t1.png")
    shown.to_prints(prints, "t1.png", sheet)
    applied(stage, sheet, tmp_path)
    base = np.array(next(m for m in tinted.materials if m.name == "resistor_glass").base_color)
    bodies = [p for p in stage.Traverse() if p.GetName() == "resistor_glass_body"]
    assert len(bodies) == 2
    for prim in bodies:
        assert np.allclose(prim.GetAttribute("primvars:displayColor").Get()[0], base / 2, rtol=1e-6)
        look = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()[0]
        assert look.GetPath().name == "resistor_glass_of_a_body"
    mark, = (p for p in stage.Traverse() if p.GetName().startswith("mark_"))
    assert Labels(stage)(str(mark.GetPath())) == (2, PARTS.index("body"))
    points = np.array(UsdGeom.Mesh(mark).GetPointsAttr().Get())
    top = max(made.chip().vertices[made.chip().part == PartKind.BODY][:, 2])
    assert np.allclose(points[:, 2], top + 2e-6, atol=1e-9)
    assert np.allclose([points[:, 0].min(), points[:, 0].max()], [-0.25e-3, 0.25e-3], atol=1e-8)
    changed = replace(tinted, instances=(replace(tinted.instances[0], marking=np.array([-1, 1], np.int32)),))
    shown.to_prints(prints_of(changed, Look()), "t1.png", again := Sheet())
    assert [type(e) for e in again.edits] == [Picture, Remove, Shape]


def test_marks_look_as_in_gl():
    """Ink on a dark body is light, on a light one dark, at full coverage and contrast 1: the numbers of the shader."""
    from generators.render.develop import decode

    board = made.board(1)
    for material, tone in (("resistor_glass", 0.42), ("plastic_white", None)):
        group = replace(board.instances[1], mesh=made.chip(material=material), marking=np.array([0], np.int32))
        full = replace(board, instances=(group,), markings=(np.full((8, 8), 255, np.uint8),))
        base = np.array(next(m for m in full.materials if m.name == material).base_color)
        found = decode(prints_of(full, Look()).picture)
        ink = found[found.shape[0] - 6, 6]
        assert np.allclose(ink, base + tone if tone else base * 0.12, atol=0.01)


# ------------------------------------------------------------------------------------------------ edits, one by one

@pytest.fixture
def empty():
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.Xform.Define(stage, "/World")
    return stage


def apply(stage, tmp_path, *messages, **loaded):
    edits.apply(stage, [m.model_dump(mode="json") for m in messages], loaded, tmp_path)


@pytest.mark.parametrize("model", ["telecentric", "perspective"])
def test_camera_is_the_renderers(empty, tmp_path, model):
    """USD's own frustum projects to the same pixels as our camera."""
    camera = looking_down("c", (3e-3, -2e-3), 20e-6, 200, 120, model=model, roll=0.4)
    apply(empty, tmp_path, Lens(path="/World/Camera", matrix=tuple(camera.pose.ravel().tolist()), model=model,
                                width_m=200 * 20e-6, height_m=120 * 20e-6, distance=camera.distance, near=camera.near,
                                far=camera.far))
    frustum = UsdGeom.Camera(empty.GetPrimAtPath("/World/Camera")).GetCamera(Usd.TimeCode.Default()).frustum
    matrix = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
    for point in ((3e-3, -2e-3, 0), (4e-3, -1.5e-3, 1e-3), (2.2e-3, -2.9e-3, 2e-3)):
        ndc = matrix.Transform(Gf.Vec3d(*point))
        assert np.allclose([(ndc[0] + 1) * 100, (1 - ndc[1]) * 60], camera.project(np.array([point]))[0], atol=1e-3)
    assert np.allclose([frustum.GetNearFar().min, frustum.GetNearFar().max], [camera.near, camera.far])


def test_lights(empty, tmp_path):
    lighting = Lighting(rings=(Ring(0.2, 0.6, (0.5, 0.4, 0.3)),), dome=(0.1, 0.2, 0.4), exposure=2.0, white_balance=(1, 1, 0.5),
                        directional=(Directional((0.6, 0, 0.8), (0.3, 0.3, 0.3), shadows=False),))
    made_ = lamps(lighting, CAMERA, "/World", 100.0)
    apply(empty, tmp_path, *made_.values())
    dome = UsdLux.DomeLight(empty.GetPrimAtPath("/World/Light_dome"))
    assert np.allclose(np.array(dome.GetColorAttr().Get()) * dome.GetIntensityAttr().Get(), [20, 40, 40])
    distant = UsdLux.DistantLight(empty.GetPrimAtPath("/World/Light_directional_0"))
    assert distant.GetNormalizeAttr().Get() and np.isclose(distant.GetIntensityAttr().Get(), 0.3 * np.pi * 200)
    shines = UsdGeom.XformCache().GetLocalToWorldTransform(distant.GetPrim()).TransformDir(Gf.Vec3d(0, 0, -1))
    assert np.allclose(shines, (-0.6, 0, -0.8)) and not UsdLux.ShadowAPI(distant.GetPrim()).GetShadowEnableAttr().Get()
    # all disks together light a level surface in the focus as the ring does: E = π L (sin² 0.6 − sin² 0.2)
    level = 0.0
    for path, lamp in made_.items():
        if "ring" in path:
            place = np.reshape(lamp.matrix, (4, 4))
            away = place[:3, 3] - (4e-3, 4e-3, 0)
            distance = np.linalg.norm(away)
            level += lamp.intensity / 200 * np.pi * lamp.radius**2 / distance**2 * away[2] / distance
    assert np.isclose(level, 0.5 * np.pi * (np.sin(0.6) ** 2 - np.sin(0.2) ** 2), rtol=0.02)
    assert lamps(Lighting(), CAMERA, "/World", 1.0) == {}


def test_remove_takes_what_the_stage_brought_and_what_a_delta_made(empty, tmp_path):
    UsdGeom.Xform.Define(empty, "/World/Brought")
    apply(empty, tmp_path, Group(path="/World/Made", instance=4, labels={"class": "joint"}))
    assert list(empty.GetPrimAtPath("/World/Made").GetAttribute("semantics:labels:class").Get()) == ["joint"]
    apply(empty, tmp_path, Remove(path="/World/Made"), Remove(path="/World/Brought"))
    assert not empty.GetPrimAtPath("/World/Made") and not empty.GetPrimAtPath("/World/Brought").IsActive()
    apply(empty, tmp_path, Group(path="/World/Brought", instance=5))
    assert empty.GetPrimAtPath("/World/Brought").IsActive()


@pytest.mark.parametrize(("message", "says"), [
    (Pose(path="/World/No", matrix=tuple(np.eye(4).ravel())), r"edit 0 \(pose /World/No\): ValueError: no such prim"),
    (Shape(path="/World/M", vertices=(0, 9), faces=(0, 1), part="body", material="/World/L"), "rows 0 to 9 of 3"),
    (Shape(path="/World/M", vertices=(0, 3), faces=(0, 1), part="wing", material="/World/L"), "part 'wing'; known: background"),
    (Shape(path="/World/M", vertices=(0, 3), faces=(0, 1), part="body", material="/World/L"), "material /World/L is not there"),
    (Shape(path="/World/M", vertices=(0, 2), faces=(0, 1), part="body", material="/World/L"), "faces and vertices do not fit"),
    (Picture(path="/World", file="t.png"), "not a UsdUVTexture"),
    (Surface(path="/World/L", color=(1, 1, 1), metallic=0, roughness=1, picture="gone.png"), "not a file in the shared folder"),
])
def test_edits_that_cannot_be_made(empty, tmp_path, message, says):
    points = np.zeros((3, 3), np.float32)
    with pytest.raises(Refused, match=says):
        apply(empty, tmp_path, message, points=points, normals=points, faces=np.array([[0, 1, 2]], np.uint32))


@pytest.mark.parametrize("bad", [np.zeros((3, 2), np.float32), np.zeros((3, 3)), np.zeros(9, np.float32)])
def test_arrays_that_are_none_of_ours(tmp_path, bad):
    np.save(tmp_path / "a.npy", bad)
    with pytest.raises(Refused, match=r"a\.npy"):
        edits.loaded(tmp_path / "a.npy", "points")
    np.save(tmp_path / "o.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(Refused, match="Python objects"):
        edits.loaded(tmp_path / "o.npy", "points")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b.npy", "missing.npy"])
def test_no_file_outside_the_shared_folder(tmp_path, name):
    from generators.render.isaac.worker.files import inside

    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "b.npy").write_bytes(b"")
    (shared / "link.npy").symlink_to(tmp_path / "b.npy")
    for tried in (name, "link.npy"):
        with pytest.raises(Refused, match="not a file in the shared folder"):
            inside(shared, tried)


@pytest.mark.parametrize("path", ["/World/../etc", "World", "/World/a b", "/World/a;b", "", "/"])
def test_paths_are_prim_paths(path):
    with pytest.raises(ValueError, match="path"):
        Show(path=path, visible=True)
    with pytest.raises(ValueError, match=r"inf|finite"):
        Lamp(path="/World/L", kind="dome", intensity=float("inf"), color=(1, 1, 1))


@pytest.mark.parametrize("seed", range(8))
def test_plates_are_cut_to_the_mark(seed):
    """Area and plane of what is left of a triangle inside a rectangle, against shapely."""
    from generators.render.isaac.prints import _clipped

    rng = np.random.default_rng(seed)
    place = np.column_stack([rng.uniform(-2, 2, (3, 2)), np.zeros(3)])
    slope = rng.uniform(-0.2, 0.2, 2)
    place[:, 2] = place[:, :2] @ slope
    pieces = _clipped(np.column_stack([place, np.tile([0, 0, 1.0], (3, 1))]), (-1.0, -0.5, 1.0, 0.5))
    expected = shapely.intersection(shapely.Polygon(place[:, :2]), shapely.box(-1, -0.5, 1, 0.5))
    assert np.isclose(sum(shapely.Polygon(t[:, :2]).area for t in pieces), expected.area, atol=1e-12)
    for t in pieces:
        assert np.allclose(t[:, 2], t[:, :2] @ slope, atol=1e-12)
        assert (np.abs(t[:, 0]) <= 1 + 1e-12).all() and (np.abs(t[:, 1]) <= 0.5 + 1e-12).all()
