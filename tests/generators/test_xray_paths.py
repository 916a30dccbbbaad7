"""Path lengths through the graphics pass against closed forms: spheres, plates, sheets, holes, bubbles, and a whole board."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import render_scene as made
import shapely

from generators.imaging.xray_labels import label_xray
from generators.render.gl.paths import around, through
from scenes.board.artwork import extrude
from scenes.errors import InputError
from scenes.family import Defect, Finding, Taxonomy
from scenes.geometry import Buried, Coverage, Geometry, Mesh, Slab, Voids
from scenes.instruments.xray import XrayMachine
from scenes.materials import TABLE, index
from scenes.optics import Look, looking_down

DEG = np.pi / 180
CONE = XrayMachine(energy=60e3, pixel_size=10e-6, width=256, height=192)
VIEWS = {"cone": (CONE, 0.0), "parallel": (replace(CONE, projection="parallel"), 0.0), "oblique": (CONE, 45 * DEG)}
MATERIALS = ("solder_sac305", "copper", "fr4", "tin")


def each(*names):
    """Coefficients that give the length of each of these materials in a channel of its own."""
    out = np.zeros((len(TABLE), 4), np.float32)
    for channel, name in enumerate(names):
        out[index(name), channel] = 1
    return out


def rays(camera):
    """Origins and unit directions through the pixels' centres, (H, W, 3), board frame."""
    x = (np.arange(camera.width) + 0.5 - camera.width / 2) * camera.pixel_size
    y = (camera.height / 2 - np.arange(camera.height) - 0.5) * camera.pixel_size
    local = np.stack([*np.broadcast_arrays(x[None], y[:, None]), np.full((camera.height, camera.width), -camera.distance)], -1)
    turn, eye = camera.pose[:3, :3], camera.pose[:3, 3]
    if camera.model == "perspective":
        along = local @ turn.T
        return np.broadcast_to(eye, along.shape), along / np.linalg.norm(along, axis=-1, keepdims=True)
    return (local * (1, 1, 0)) @ turn.T + eye, np.broadcast_to(-turn[:, 2], local.shape)


def slab(size=6e-3, thickness=1.6e-3, cut=None, layers=(), holes=()) -> Slab:
    """A square board without copper on its front; ``layers`` are (coverage (n, n), height, thickness)."""
    square = shapely.box(0, 0, size, size)
    plan = square if cut is None else square.difference(cut)

    def mesh(area):
        v, n, f = extrude([p for p in shapely.get_parts(area) if p.geom_type == "Polygon"], thickness)
        return Mesh("slab", v, n, f, np.full(len(v), index("fr4"), np.uint8), np.ones(len(v), np.uint8))

    empty = Mesh("none", np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint32),
                 np.zeros(0, np.uint8), np.zeros(0, np.uint8))
    texels = np.array([c for c, _, _ in layers], np.uint8).reshape(len(layers), *(layers[0][0].shape if layers else (1, 1)))
    buried = Buried(texels, (0.0, 0.0), size / texels.shape[1], np.array([z for _, z, _ in layers]),
                    np.array([t for _, _, t in layers]), np.array(holes, float).reshape(-1, 7), (0.0, 0.0, size, size),
                    empty if cut is None else mesh(square.difference(plan)))
    bare = Coverage(np.zeros((4, 4, 4), np.uint8), (0.0, 0.0), size / 4)
    return Slab(mesh(plan), bare, thickness, buried=buried)


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_sphere_chords(gl, view):
    """2 √(R² − r²) through the mesh to 1 %, and to 1e-4 for the bubble that is taken off it."""
    machine, tilt = VIEWS[view]
    center, radius = np.array([3.1e-3, 2.9e-3, 0.5e-3]), 0.5e-3
    camera = machine.camera((3e-3, 3e-3), tilt=tilt, azimuth=0.7)
    ball = made.ball(center, radius, 7, subdivisions=5)
    start, along = rays(camera)
    off = center - start
    miss = np.linalg.norm(off - (off * along).sum(-1, keepdims=True) * along, axis=-1)
    chord = 2 * np.sqrt(np.maximum(radius**2 - miss**2, 0))
    got = gl.paths(Geometry(slab(), soup=ball), camera, each("solder_sac305"))[..., 0]
    well = miss < 0.97 * radius
    assert well.sum() > 4000
    assert np.abs(got[well] / chord[well] - 1).max() < 0.01
    assert np.abs(got[miss > 1.01 * radius]).max() < 1e-8
    bubble = Geometry(slab(), voids=Voids(center[None], np.array([radius]), np.array([7], np.uint32)))
    got = gl.paths(bubble, camera, each("solder_sac305"))[..., 0]
    assert np.abs(got[well] / -chord[well] - 1).max() < 1e-4


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_a_plate_is_its_thickness_over_the_cosine(gl, view):
    """Laminate and three buried sheets, seen along every ray; a slab drawn as a mesh says the same."""
    machine, tilt = VIEWS[view]
    full = np.full((8, 8), 255, np.uint8)
    board = slab(20e-3, layers=[(full, -0.5e-3, 18e-6), (full, -1.0e-3, 18e-6), (full, -1.58e-3, 35e-6)])
    camera = machine.camera((10e-3, 10e-3), tilt=tilt, azimuth=-0.4)
    cosine = -rays(camera)[1][..., 2]
    got = gl.paths(Geometry(board), camera, each("copper", "fr4"))
    assert np.abs(got[..., 0] * cosine / 71e-6 - 1).max() < 1e-5
    assert np.abs(got[..., 1] * cosine / (1.6e-3 - 71e-6) - 1).max() < 1e-5
    bare = gl.paths(Geometry(replace(board, buried=None)), camera, each("copper", "fr4"))
    assert np.abs(bare[..., 1] * cosine / 1.6e-3 - 1).max() < 1e-5


def test_buried_copper_lies_at_its_own_height(gl):
    """The edge of a deep layer is seen where the cone puts it."""
    half = np.zeros((600, 600), np.uint8)
    half[:, 300:] = 255                                                    # copper where x > 3 mm
    camera = CONE.camera((2e-3, 3e-3))
    for height in (-0.2e-3, -1.5e-3):
        got = gl.paths(Geometry(slab(layers=[(half, height, 35e-6)])), camera, each("copper"))[96, :, 0]
        edge = np.interp(17.5e-6, got, np.arange(256) + 0.5)
        assert edge == pytest.approx(camera.project(np.array([[3e-3, 3e-3, height]]))[0, 0], abs=0.6)


def test_cut_outs_and_holes(gl):
    """Laminate is missing in a milled slot and in a drilled hole, whose plating is copper all the way through."""
    machine = replace(CONE, projection="parallel", width=512, height=512)
    holes = [(2e-3, 2e-3, 0.3e-3, 0, 0, 50e-6, 0), (4e-3, 2e-3, 0.2e-3, 0.3e-3, 0, 0, 0), (4e-3, 4e-3, 0.5e-3, 0, 0, 50e-6, 1)]
    round_ = shapely.Point(4e-3, 4e-3).buffer(0.5e-3, quad_segs=64)
    board = slab(cut=shapely.box(1e-3, 3.5e-3, 2e-3, 4.5e-3) | round_, holes=holes)
    got = gl.paths(Geometry(board), machine.camera((3e-3, 3e-3)), each("copper", "fr4"))

    def at(x, y):
        return got[round(256 - (y - 3e-3) / 10e-6), round(256 + (x - 3e-3) / 10e-6)]

    for x, y, copper, laminate in ((3e-3, 3e-3, 0, 1.6e-3), (1.5e-3, 4e-3, 0, 0), (2e-3, 2e-3, 0, 0), (2.325e-3, 2e-3, 1.6e-3, 0),
                                   (4.4e-3, 2e-3, 0, 0), (4e-3, 2.15e-3, 0, 0), (4e-3, 2.3e-3, 0, 1.6e-3), (4e-3, 4e-3, 0, 0),
                                   (4.53e-3, 4e-3, 1.6e-3, 0)):
        assert at(x, y)[:2] == pytest.approx([copper, laminate], abs=1e-8), (x, y)
    ring = np.pi * ((0.35e-3)**2 - (0.3e-3)**2 + (0.55e-3)**2 - (0.5e-3)**2) * 1.6e-3
    assert got[..., 0].sum() * (10e-6)**2 == pytest.approx(ring, rel=0.03)


def test_the_laminate_ends_where_the_board_does(gl):
    """Rays that leave through a side run in laminate only as far as it goes, as a mesh and as a box."""
    board, camera = slab(1e-3), CONE.camera((0.5e-3, 0.5e-3), tilt=50 * DEG, azimuth=0.3)
    as_box = gl.paths(Geometry(board), camera, each("fr4"))[..., 0]
    as_mesh = gl.paths(Geometry(replace(board, buried=None)), camera, each("fr4"))[..., 0]
    assert (as_box == 0).mean() > 0.2 and as_box.max() > 1e-3
    assert (np.abs(as_box - as_mesh) < 1e-6).mean() > 0.98                 # the rest are pixels on the outline


def test_a_real_board_has_no_negative_lengths(gl, examples):
    """Packages, solder, bridges, balls, laminate: all closed. What is left is at corners of bent sheets, microns deep."""
    pytest.importorskip("xraylib")
    from domain_randomization.sampling import find_family
    from generators.imaging.xray_beam import beam
    from scenes.board.buried import buried
    from scenes.scene import Scene

    scene = Scene.read(examples / "inspector.scene.yaml")
    family = find_family(scene)
    product = family.product(scene)
    product = replace(product, slab=replace(product.slab, buried=buried(product.board)))
    few = beam(CONE)
    mu = (few.coefficients.astype(float) @ few.attenuation)[:, 0]          # 1/m at 60 keV
    total = np.zeros((len(TABLE), 4), np.float32)
    total[:, 0] = mu
    x0, y0, x1, y1 = family.box(product)
    for seed, tilt in ((1, 0.0), (2, 45 * DEG)):
        state = family.simulate(product, family.process(product, {}), np.random.default_rng(seed))
        geometry = family.geometry(product, state, Look())
        camera = CONE.camera(((x0 + x1) / 2, (y0 + y1) / 2), tilt=tilt, azimuth=0.5, width=1024, height=768, pixel_size=45e-6)
        thick = gl.paths(geometry, camera, total)[..., 0]
        assert (thick < -0.001).mean() < 1e-6 and thick.min() > -0.02      # attenuation Σ µ x [1]
        solder = gl.paths(geometry, camera, each(*MATERIALS))[..., 0]
        assert (solder < -2e-6).mean() < 1e-5 and solder.min() > -30e-6
        assert solder.max() > 0.3e-3


def test_equal_calls_equal_bytes(gl):
    geometry, camera = made.board(), CONE.camera((10e-3, 10e-3), tilt=0.3, width=512, height=512, pixel_size=20e-6)
    first = gl.paths(geometry, camera, each(*MATERIALS))
    assert first.shape == (512, 512, 4) and first.dtype == np.float32
    gl.render(geometry, made_camera(), made_light(), Look())               # another pass between does not matter
    assert first.tobytes() == gl.paths(geometry, camera, each(*MATERIALS)).tobytes()


def made_camera():
    from scenes.optics import looking_down

    return looking_down("top", (10e-3, 10e-3), 40e-6, 200, 200)


def made_light():
    from scenes.optics import Lighting

    return Lighting(dome=(1.0, 1.0, 1.0))


def test_a_picture_is_what_it_was_before_paths_were_drawn(gl):
    geometry = made.board()
    before = gl.render(geometry, made_camera(), made_light(), Look())
    gl.paths(geometry, CONE.camera((10e-3, 10e-3)), each(*MATERIALS))
    after = gl.render(geometry, made_camera(), made_light(), Look())
    for name in ("rgb", "depth", "normal", "instance", "part"):
        assert getattr(before, name).tobytes() == getattr(after, name).tobytes(), name


def test_coefficients_of_another_shape_are_refused(gl):
    with pytest.raises(InputError, match="coefficients"):
        gl.paths(made.board(), CONE.camera((0, 0)), np.zeros((3, 4), np.float32))


# --- labels ------------------------------------------------------------------------------------------------------------

TAXONOMY = Taxonomy((Defect("missing", "Missing"), Defect("bga_void", "Void", hidden_from=("rgb",)),
                     Defect("residue", "Residue", hidden_from=("xray",))), ("chip_resistor",))


def test_labels_see_through(gl):
    """A ball under a chip is seen as if nothing were over it; a film is not seen at all."""
    board = made.board()
    geometry = replace(board, soup=made.ball((1e-3, 1e-3, 0.1e-3), 0.1e-3, 500))                 # inside the first chip
    camera = CONE.camera((1.2e-3, 1.2e-3))
    film = board.decals[0]
    findings = (Finding("chip_resistor", "", "R1", (), (2,)), Finding("bridge", "", "", (), (500,)),
                Finding("residue", "residue", "", (), (film.instance,), severity=1e-3, rule="extent"),
                Finding("missing", "missing", "R9", (), (), shapely.box(1.5e-3, 1.5e-3, 2e-3, 2e-3), rule="present"),
                Finding("missing", "missing", "R10", (), (), shapely.box(15e-3, 15e-3, 16e-3, 16e-3)))
    made_ = label_xray(3, findings, geometry, replace(camera, width=700, height=700), gl, TAXONOMY)
    assert [i.category for i in made_] == ["chip_resistor", "bridge", "residue", "missing"]      # R10 is out of the picture
    chip, ball_, film_, lands = made_
    assert all(i.frame == 3 for i in made_)
    assert ball_.visible.sum() * 1e-10 == pytest.approx(np.pi * 0.1e-3**2, rel=0.03)
    assert (chip.visible & ball_.visible).sum() == ball_.visible.sum()      # both are seen where they overlap
    assert film_.hidden and not film_.visible.any() and film_.amodal.any()
    assert lands.visible.sum() * 1e-10 == pytest.approx(0.25e-6, rel=0.03) and lands.rule == "present"


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_the_mask_of_a_void_is_its_shadow(gl, view):
    """Pixels in which the bubble takes solder away, exactly."""
    machine, tilt = VIEWS[view]
    camera = machine.camera((3e-3, 3e-3), tilt=tilt, azimuth=0.2)
    voids = Voids(np.array([[3.1e-3, 3e-3, 0.2e-3], [2.8e-3, 3.1e-3, 0.3e-3], [3.3e-3, 2.6e-3, 0.2e-3]]),
                  np.array([0.12e-3, 0.05e-3, 0.1e-3]), np.array([40, 40, 41], np.uint32))
    geometry = Geometry(slab(), voids=voids)
    found, = label_xray(0, [Finding("bga_void", "bga_void", "U1", ("A1",), (40,), severity=0.3)], geometry, camera, gl, TAXONOMY)
    mine = replace(voids, center=voids.center[:2], radius=voids.radius[:2], instance=voids.instance[:2])
    taken = gl.paths(Geometry(slab(), voids=mine), camera, each("solder_sac305"))[..., 0] < 0
    assert taken.sum() > 400
    assert (found.visible != taken).sum() <= 2                              # a ray that touches
    assert not found.hidden


def test_the_middle_of_a_board_is_where_rays_go_through_top_and_bottom():
    box, thickness = (0.0, 0.0, 30e-3, 20e-3), 1.6e-3
    for roll, distance in ((0.0, 0.1), (0.02, 0.08), (-0.03, 0.5)):
        camera = looking_down("x", (24e-3, 12e-3), 50e-6, 400, 300, distance=distance, model="perspective", roll=roll)
        x, y, w, h = through(camera, box, thickness)
        assert w > 150 and h > 150
        corners = [(x + i * w, y + j * h) for i in (0, 1) for j in (0, 1)]
        eye = camera.pose[:3, 3]
        for column, row in corners:
            ahead = np.array([(column - 200) * 50e-6, (150 - row) * 50e-6, -distance])
            ray = camera.pose[:3, :3] @ ahead
            for z in (0.0, -thickness):
                at = eye + ray * (z - eye[2]) / ray[2]
                assert box[0] < at[0] < box[2] and box[1] < at[1] < box[3]
        parts = [(x, y, w, h), *around((x, y, w, h), 400, 300)]
        cover = np.zeros((300, 400), int)
        for left, above, width, height in parts:
            cover[above:above + height, left:left + width] += 1
        assert (cover == 1).all()                                # every pixel once
    away = looking_down("x", (80e-3, 12e-3), 50e-6, 400, 300, model="perspective")
    assert 0 in through(away, box, thickness)[2:]
