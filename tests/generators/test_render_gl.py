"""The gl renderer against an independent ray cast, closed forms of optics, and itself."""
from __future__ import annotations

import gc
import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import render_scene as made
import shapely
import trimesh
from scipy import ndimage

from generators.masks import pasted
from generators.render import open_renderer
from generators.render.develop import decode
from scenes.errors import BackendError, BackendUnavailable, InputError
from scenes.geometry import Geometry, Instances, PartKind
from scenes.optics import Camera, Directional, Lighting, Look, Ring, looking_down

DEG = np.pi / 180
DOME = Lighting(dome=(1.0, 1.0, 1.0))
RINGS = Lighting(rings=(Ring(10 * DEG, 25 * DEG, (1, 0, 0)), Ring(35 * DEG, 50 * DEG, (0, 1, 0)),
                        Ring(60 * DEG, 80 * DEG, (0, 0, 1))))


@pytest.fixture(scope="module")
def board():
    return made.board()


def tilted(width=512, height=400) -> Camera:
    """A perspective camera that looks at the middle of the board from 25° off the vertical, rolled by 20°."""
    turn, move = trimesh.transformations.rotation_matrix, trimesh.transformations.translation_matrix
    pose = move((10e-3, 10e-3, 0)) @ turn(0.35, (0, 0, 1)) @ turn(25 * DEG, (1, 0, 0)) @ move((0, 0, 0.1))
    return Camera("oblique", width, height, 40e-6, pose, 0.1, "perspective", 0.05, 0.15)


def ray_cast(geometry: Geometry, camera: Camera):
    """Instance, depth and face normal (camera frame) by embreex, one ray through each pixel's centre."""
    vertices, faces, ids, start = [], [], [], 0

    def add(v, f, i):
        nonlocal start
        vertices.append(v)
        faces.append(f.astype(np.int64) + start)
        ids.append(np.full(len(f), i) if np.isscalar(i) else i)
        start += len(v)

    add(geometry.slab.mesh.vertices, geometry.slab.mesh.faces, 1)
    for group in geometry.instances:
        for pose, instance in zip(group.pose, group.instance, strict=True):
            add(group.mesh.vertices @ pose[:3, :3].T + pose[:3, 3], group.mesh.faces, int(instance))
    soup = geometry.soup
    if len(soup.faces):
        add(soup.vertices, soup.faces, soup.instance[soup.faces[:, 0]])
    mesh = trimesh.Trimesh(np.concatenate(vertices), np.concatenate(faces), process=False)
    ids = np.concatenate(ids)
    x, y = np.meshgrid((np.arange(camera.width) + 0.5 - camera.width / 2) * camera.pixel_size,
                       -(np.arange(camera.height) + 0.5 - camera.height / 2) * camera.pixel_size)
    plane = np.stack([x, y, np.full_like(x, -camera.distance)], axis=-1).reshape(-1, 3)
    if camera.model == "telecentric":
        origin, along = plane * (1, 1, 0), np.broadcast_to((0.0, 0.0, -1.0), plane.shape)
    else:
        origin, along = np.zeros_like(plane), plane / np.linalg.norm(plane, axis=1, keepdims=True)
    origin = origin @ camera.pose[:3, :3].T + camera.pose[:3, 3]
    along = along @ camera.pose[:3, :3].T
    # rays start close above the board: embree computes in float32
    skip = np.where(along[:, 2] < -1e-6, (25e-3 - origin[:, 2]) / along[:, 2], 0.0)
    points, rays, triangles = trimesh.ray.ray_pyembree.RayMeshIntersector(mesh, scale_to_box=False).intersects_location(
        origin + skip[:, None] * along, along, multiple_hits=False)
    instance, depth = np.zeros(len(plane), np.int64), np.full(len(plane), np.inf)
    depth[rays] = -((points - camera.pose[:3, 3]) @ camera.pose[:3, :3])[:, 2]
    instance[rays] = ids[triangles]
    on_top = rays[(instance[rays] == 1) & (points[:, 2] > -1e-6)]
    place = points[(instance[rays] == 1) & (points[:, 2] > -1e-6)]
    for decal in geometry.decals:
        instance[on_top[shapely.contains_xy(decal.outline, place[:, 0], place[:, 1])]] = decal.instance
    cover = geometry.slab.coverage
    column = ((place[:, 0] - cover.origin[0]) / cover.texel_size).astype(int).clip(0, cover.texels.shape[1] - 1)
    height = cover.texels.shape[0]
    row = (height - (place[:, 1] - cover.origin[1]) / cover.texel_size).astype(int).clip(0, height - 1)
    drilled = on_top[cover.texels[row, column, 3] < 128]
    normal = np.zeros((len(plane), 3))
    normal[rays] = mesh.face_normals[triangles] @ camera.pose[:3, :3]
    instance[drilled], depth[drilled], normal[drilled] = 0, np.inf, 0
    shape = camera.height, camera.width
    return instance.reshape(shape), depth.reshape(shape), normal.reshape(*shape, 3)


def far_from_edges(instance, normal):
    """Pixels more than one pixel away from where another thing or another face begins."""
    out = ndimage.maximum_filter(instance, 3) == ndimage.minimum_filter(instance, 3)
    for axis in range(3):
        out &= ndimage.maximum_filter(normal[..., axis], 3) - ndimage.minimum_filter(normal[..., axis], 3) < 0.3
    return out


@pytest.mark.parametrize("camera", [looking_down("top", (6e-3, 6e-3), 20e-6, 640, 512), tilted(),
                                    looking_down("roll", (10e-3, 10e-3), 30e-6, 400, 400, roll=0.6, model="perspective")],
                         ids=["telecentric", "oblique", "perspective"])
def test_ids_and_depth_agree_with_a_ray_cast(gl, board, camera):
    seen = gl.render(board, camera, DOME, Look(), outputs={"instance", "depth", "normal", "part"})
    instance, depth, normal = ray_cast(board, camera)
    inside = far_from_edges(instance, normal)
    assert inside.mean() > 0.8
    assert (seen.instance == instance)[inside].mean() >= 0.999
    both = inside & np.isfinite(depth) & np.isfinite(seen.depth)
    assert (np.abs(seen.depth[both] - depth[both]) < 3e-6).mean() >= 0.999
    flat = both & (seen.part != PartKind.BALL)          # balls have smooth normals
    assert (np.abs(seen.normal[flat] - normal[flat]).max(axis=-1) < 1e-3).mean() >= 0.999
    assert len(np.unique(seen.instance)) > 10 and seen.rgb is None


def test_buffers_have_the_promised_form(gl, board):
    camera = looking_down("top", (10e-3, 10e-3), 60e-6, 400, 360)
    b = gl.render(board, camera, DOME, Look())
    assert b.rgb.dtype == np.uint8 and b.rgb.shape == (360, 400, 3)
    assert b.depth.dtype == np.float32 and b.instance.dtype == np.uint32 and b.part.dtype == np.uint16
    assert b.normal.dtype == np.float32 and b.normal.shape == (360, 400, 3)
    empty = b.instance == 0
    assert np.array_equal(empty, np.isinf(b.depth)) and np.array_equal(empty, b.part == 0)
    length = np.linalg.norm(b.normal, axis=-1)
    assert np.all(length[empty] == 0) and np.allclose(length[~empty], 1, atol=1e-5)
    assert set(np.unique(b.part)) >= {PartKind.BACKGROUND, PartKind.BOARD, PartKind.PAD, PartKind.BODY, PartKind.LEAD,
                                      PartKind.BALL, PartKind.RESIDUE}
    # the board of 20 mm lies in the middle of 24 mm × 21.6 mm; row 0 is the largest y
    rows, columns = np.flatnonzero((b.instance == 1).any(axis=1)), np.flatnonzero((b.instance == 1).any(axis=0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (13, 346, 33, 366)


def test_row_0_is_up_and_column_0_is_left(gl):
    geometry = made.board(1)                   # one chip at (1, 1) mm of a 20 mm board
    b = gl.render(geometry, looking_down("top", (10e-3, 10e-3), 100e-6, 200, 200), DOME, Look(), outputs={"instance"})
    y, x = np.argwhere(b.instance == 2).mean(axis=0)
    assert abs(x - 9.5) < 1 and abs(y - 189.5) < 1


def test_holes_show_what_is_behind_the_board(gl, board):
    camera = looking_down("top", (1e-3, 2e-3), 10e-6, 200, 200)
    b = gl.render(board, camera, DOME, Look(background=(1.0, 0.0, 1.0)))
    middle = np.s_[60:140, 60:140]             # a hole of 1 mm around the middle
    assert np.all(b.instance[middle][20:60, 20:60] == 0)
    area = (b.instance == 0).sum() * 10e-6**2
    assert area == pytest.approx(np.pi * 0.5e-3**2, rel=0.05)
    assert np.all(b.rgb[100, 100] == (255, 0, 255))


@pytest.mark.parametrize(("radiance", "code"), [(1.0, 255), (0.5, 188)])
def test_a_white_diffuser_under_a_dome_shows_the_domes_radiance(gl, radiance, code):
    geometry = made.board(0)
    cover = geometry.slab.coverage
    cover.texels[...] = (0, 0, 255, 255)       # silkscreen everywhere
    look = Look(silk=(1.0, 1.0, 1.0), mask_roughness=0.5)
    b = gl.render(geometry, looking_down("top", (10e-3, 10e-3), 50e-6, 64, 64), Lighting(dome=(radiance,) * 3), look)
    # plus the Fresnel reflection of 4 % of the dome
    linear = ((b.rgb[32, 32] / 255 + 0.055) / 1.055) ** 2.4
    assert np.all(np.abs(np.minimum(linear, 1) - min(1.0, radiance * 1.04)) < 0.006)
    assert np.all(np.abs(b.rgb[32, 32].astype(int) - code) <= 4)


def test_exposure_and_white_balance_are_linear_gains(gl, board):
    camera = looking_down("top", (10e-3, 10e-3), 50e-6, 128, 128)
    dim = Lighting(dome=(0.3, 0.3, 0.3))
    one = gl.render(board, camera, dim, Look(), outputs={"rgb"}).rgb
    two = gl.render(board, camera, replace(dim, exposure=2.0), Look(), outputs={"rgb"}).rgb
    same = gl.render(board, camera, replace(dim, white_balance=(2.0, 2.0, 2.0)), Look(), outputs={"rgb"}).rgb
    assert np.array_equal(two, same)
    mid = (one > 40) & (two < 250)
    assert np.median(decode(two)[mid] / decode(one)[mid]) == pytest.approx(2.0, rel=0.02)


def test_ring_tiers_show_as_circles_on_a_mirror_ball(gl):
    """r = R sin(θ/2): where an ideal ball shows a lamp at the zenith angle θ (reference of ring-light inspection)."""
    radius, pixel = 1.5e-3, 15e-6
    ball = made.ball((10e-3, 10e-3, 0.0), radius, 5, roughness=0.0, subdivisions=6)
    geometry = replace(made.board(0), soup=ball, decals=())
    b = gl.render(geometry, looking_down("top", (10e-3, 10e-3), pixel, 256, 256), RINGS, Look(), outputs={"rgb"})
    y, x = np.mgrid[:256, :256] + 0.5 - 128
    distance = np.hypot(x, y)
    at = np.arange(1, 98)
    for channel, ring in enumerate(RINGS.rings):
        linear = decode(b.rgb[..., channel])
        profile = np.array([linear[np.abs(distance - r) < 0.5].mean() for r in at])
        profile /= profile.max()
        inner, outer = radius / pixel * np.sin(ring.zenith_min / 2), radius / pixel * np.sin(ring.zenith_max / 2)
        top = int(np.argmax(profile))
        assert abs(np.interp(0.5, profile[:top + 1], at[:top + 1]) - inner) < 1.0
        last = int(np.flatnonzero(profile > 0.5)[-1])
        assert abs(np.interp(-0.5, -profile[last:last + 2], at[last:last + 2]) - outer) < 1.0
        assert profile[(at > inner + 2) & (at < outer - 2)].min() > 0.9


def test_a_rough_ball_blurs_the_tiers(gl):
    camera = looking_down("top", (10e-3, 10e-3), 15e-6, 256, 256)
    spread = []
    for roughness in (0.1, 0.5):
        geometry = replace(made.board(0), soup=made.ball((10e-3, 10e-3, 0), 1.5e-3, 5, roughness=roughness, subdivisions=5))
        rgb = gl.render(geometry, camera, RINGS, Look(), outputs={"rgb"}).rgb
        spread.append(rgb[128, 130:220].astype(float).std(axis=0).sum())
    assert spread[1] < 0.6 * spread[0]


def test_a_lamp_casts_a_shadow_where_geometry_says(gl):
    """A box of height h under a lamp at elevation e darkens h / tan(e) beside it."""
    height, elevation = 1.0e-3, 45 * DEG
    chip = made.chip(1e-3, 1e-3, height)
    geometry = replace(made.board(0), decals=(), instances=(Instances(
        chip, made.pose(10e-3, 10e-3)[None], np.array([2], np.uint32), np.ones((1, 3), np.float32), np.array([-1], np.int32)),))
    geometry.slab.coverage.texels[...] = (0, 0, 255, 255)
    camera = looking_down("top", (10e-3, 10e-3), 20e-6, 256, 256)
    direction = (np.cos(elevation), 0.0, np.sin(elevation))
    lit, dark = (gl.render(geometry, camera, Lighting(directional=(Directional(direction, (0.8,) * 3, shadows=s),)), Look(),
                           outputs={"rgb"}).rgb[128, :, 1].astype(int) for s in (False, True))
    shaded = np.flatnonzero(lit - dark > 60)
    # from the chip's left side, 25 px left of the middle, 50 px further; the chip itself is lit
    assert abs(shaded[0] - (128 - 25 - 50)) <= 2 and abs(shaded[-1] - (128 - 25 - 1)) <= 2
    assert np.all(dark[150:] == lit[150:])


def test_contact_is_darker_than_the_open_board(gl, board):
    geometry = replace(made.board(2), decals=())
    geometry.slab.coverage.texels[...] = (0, 0, 255, 255)
    camera = looking_down("top", (3e-3, 3e-3), 10e-6, 512, 512)
    b = gl.render(geometry, camera, Lighting(dome=(0.7,) * 3), Look())
    distance = ndimage.distance_transform_edt(b.instance == 1) * 10e-6
    plain = b.part == PartKind.BOARD
    near, far = plain & (distance > 30e-6) & (distance < 80e-6), plain & (distance > 0.6e-3)
    assert b.rgb[near].mean() < 0.93 * b.rgb[far].mean()


def test_edges_are_smooth(gl):
    """A straight slanted edge shows grey levels in between, and comes close to 8 × 8 samples."""
    geometry = replace(made.board(0), decals=(), instances=(Instances(
        made.chip(4e-3, 2e-3, 0.1e-3, "alumina"), made.pose(10e-3, 10e-3, 0, 0.2)[None], np.array([2], np.uint32),
        np.ones((1, 3), np.float32), np.array([-1], np.int32)),))
    geometry.slab.coverage.texels[...] = (0, 0, 0, 255)
    camera = looking_down("top", (10e-3, 10e-3), 20e-6, 256, 256)
    light = Lighting(dome=(0.8,) * 3)
    smooth = gl.render(geometry, camera, light, Look(), outputs={"rgb"}).rgb
    exact = gl.reference(geometry, camera, light, Look(), factor=8)
    gl._antialias = False
    rough = gl.render(geometry, camera, light, Look(), outputs={"rgb"}).rgb
    gl._antialias = True
    changed = (rough != smooth).any(axis=-1)
    assert 100 < changed.sum() < 6000
    error = [np.sqrt(((a.astype(float) - exact)[changed] ** 2).mean()) for a in (rough, smooth)]
    assert error[1] < 0.5 * error[0]
    assert np.abs(smooth.astype(int) - exact)[~changed].mean() < 1.5


def digest(renderer) -> str:
    camera = looking_down("top", (8e-3, 8e-3), 20e-6, 256, 256)
    lamp = Directional((0.5, 0, 0.8), (0.3, 0.3, 0.3))
    light = replace(RINGS, dome=(0.4, 0.4, 0.4), noise=0.01, blur=0.6, directional=(lamp,))
    b = renderer.render(made.board(), camera, light, Look(), noise_seed=7)
    return hashlib.sha256(b"".join(a.tobytes() for a in (b.rgb, b.depth, b.normal, b.instance, b.part))).hexdigest()


def test_equal_arguments_give_equal_bytes_in_two_processes(gl, board):
    gl.render(board, tilted(), DOME, Look())   # a different history
    here = digest(gl)
    assert digest(gl) == here
    script = (f"import sys; sys.path.insert(0, {str(Path(made.__file__).parent)!r})\n"
              "import test_render_gl as t\nprint(t.digest(t.open_renderer('gl')))\n")
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert there == here


def test_noise_has_the_asked_spread_and_follows_its_seed(gl):
    geometry = made.board(0)
    geometry.slab.coverage.texels[...] = (0, 0, 255, 255)
    camera = looking_down("top", (10e-3, 10e-3), 20e-6, 256, 256)
    light = Lighting(dome=(0.4,) * 3)
    clean = decode(gl.render(geometry, camera, light, Look(), outputs={"rgb"}).rgb)
    first, again, other = (gl.render(geometry, camera, replace(light, noise=0.02), Look(), outputs={"rgb"}, noise_seed=s).rgb
                           for s in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert (decode(first) - clean).std() == pytest.approx(0.02, rel=0.05)


def test_silhouettes_are_whole_where_nothing_hides_them(gl, board):
    camera = looking_down("top", (10e-3, 10e-3), 25e-6, 800, 800)
    b = gl.render(board, camera, DOME, Look(), outputs={"instance"})
    ids = [1, 2, 40, 101, 102, 110, *{d.instance for d in board.decals}, 4000]
    pieces = gl.silhouettes(board, camera, ids)
    assert set(pieces) == set(ids) - {4000}
    masks = {i: pasted([piece], (800, 800))[0] for i, piece in pieces.items()}
    for i in masks:
        visible = b.instance == i
        assert np.all(masks[i][visible])
        if i in (2, 40, 101, 102):
            assert np.array_equal(masks[i], visible)
    board_alone = masks[1]
    assert board_alone[400, 400] and board_alone.sum() > (b.instance == 1).sum()


def test_a_hidden_thing_keeps_its_silhouette(gl):
    ball = made.ball((10e-3, 10e-3, 0.1e-3), 0.1e-3, 7)
    lid = Instances(made.chip(2e-3, 2e-3, 1e-3), made.pose(10e-3, 10e-3)[None], np.array([2], np.uint32),
                    np.ones((1, 3), np.float32), np.array([-1], np.int32))
    geometry = replace(made.board(0), instances=(lid,), soup=ball, decals=())
    camera = looking_down("top", (10e-3, 10e-3), 10e-6, 256, 256)
    assert not (gl.render(geometry, camera, DOME, Look(), outputs={"instance"}).instance == 7).any()
    assert gl.silhouettes(geometry, camera, [7])[7][1].sum() * 10e-6**2 == pytest.approx(np.pi * 0.1e-3**2, rel=0.05)


def test_nothing_piles_up(gl):
    """Memory stays flat over new units, boards and looks: a unit's buffers and a board's artwork are given back."""
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    camera = looking_down("top", (3e-3, 3e-3), 20e-6, 64, 64)
    unit = made.board(2)
    sizes = []
    for i in range(100):                       # each new artwork is 1.4 MB with its mipmaps
        cover = replace(unit.slab.coverage, texels=unit.slab.coverage.texels[:512, :512].copy())
        fresh = replace(unit, slab=replace(unit.slab, coverage=cover), soup=replace(unit.soup),
                        markings=tuple(m.copy() for m in unit.markings))
        gl.render(fresh, camera, DOME, Look(), noise_seed=i)
        if i in (39, 99):
            gc.collect()
            sizes.append(resident())
    assert sizes[1] - sizes[0] < 20


def test_bad_input_is_the_callers_and_does_not_kill(gl, board):
    camera = looking_down("top", (3e-3, 3e-3), 20e-6, 64, 64)
    with pytest.raises(InputError, match="outputs: thermal unknown"):
        gl.render(board, camera, DOME, Look(), outputs={"thermal"})
    lamps = (Directional((0, 0, 1), (1, 1, 1)),) * 5
    with pytest.raises(InputError, match="at most 4"):
        gl.render(board, camera, Lighting(directional=lamps), Look())
    assert gl.render(board, camera, DOME, Look()).rgb is not None


def test_a_closed_renderer_says_so(board):
    renderer = open_renderer("gl")
    renderer.close()
    with pytest.raises(BackendError, match="open a new one"):
        renderer.render(board, looking_down("top", (3e-3, 3e-3), 20e-6, 64, 64), DOME, Look())


def test_an_unknown_renderer_is_named():
    with pytest.raises(BackendUnavailable, match="nosuch"):
        open_renderer("nosuch")
