"""Solder bodies: volumes and heights against closed forms, closed surfaces, wetting."""
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from scenes.smt import joint_shapes as shapes


def contact(n, **changes):
    values = dict(
        half_land=np.tile([0.45e-3, 0.475e-3], (n, 1)),
        center=np.tile([-0.15e-3, 0.0], (n, 1)),
        half=np.tile([0.175e-3, 0.4e-3], (n, 1)),
        angle=np.zeros(n),
        clearance=np.full(n, 20e-6),
        height=np.full(n, 0.7e-3),
        end=np.ones(n),
        side=np.full(n, 0.75),
        inner=np.full(n, 0.02),
    )
    return shapes.Contact(**{**values, **changes})


def closed(bodies):
    face = shapes.faces(*bodies.rings.shape[1:3], bodies.top is None)
    for points in shapes.vertices(bodies):
        body = trimesh.Trimesh(points * 1e3, face, process=False)
        if not (body.is_watertight and body.is_winding_consistent and body.volume > 0):
            return False
    return True


@pytest.mark.parametrize(
    "degrees, height, volume",
    [(20, 0.044, 0.0044), (30, 0.067, 0.0067), (40, 0.091, 0.0093), (60, 0.144, 0.0157), (90, 0.250, 0.0327)],
)
def test_spherical_cap_table(degrees, height, volume):
    """h = a·tan(θ/2), V = π·h·(3a² + h²)/6 with a = 0.25 mm."""
    a = 0.25e-3
    exact = a * np.tan(np.radians(degrees) / 2)
    v = np.array([np.pi * exact * (3 * a**2 + exact**2) / 6])
    assert exact * 1e3 == pytest.approx(height, abs=6e-4) and v[0] * 1e9 == pytest.approx(volume, abs=6e-5)
    dome = shapes.domes(np.full((1, 2), a), np.zeros((1, 2)), np.ones(1, bool), v)
    assert dome.top[0, 2] == pytest.approx(exact, rel=0.01)
    assert shapes.volumes(dome)[0] == pytest.approx(v[0], rel=1e-6)


def test_bga_collapse():
    """A 0.5 mm ball between two 0.40 mm pads: stand-off 0.347 mm, greatest diameter 0.530 mm."""
    v = np.pi * 0.5e-3**3 / 6
    height = np.roots([np.pi / 6, 0, np.pi * 0.2e-3**2, -v])
    height = float(height[np.abs(height.imag) < 1e-12].real[0])
    assert height == pytest.approx(0.347e-3, rel=0.01)
    a = np.full(1, 0.2e-3)
    ball = shapes.balls(np.zeros((1, 2)), a, np.zeros((1, 2)), a, np.array([height]), np.array([v]))
    assert 2 * np.linalg.norm(ball.rings[0, ..., :2], axis=-1).max() == pytest.approx(0.530e-3, rel=0.01)
    assert shapes.volumes(ball)[0] == pytest.approx(v, rel=1e-6) and closed(ball)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.002, 0.6, allow_subnormal=False),
       st.floats(15, 130, allow_subnormal=False),
       st.floats(-0.5, 0.5, allow_subnormal=False),
       st.floats(-0.35, 0.35, allow_subnormal=False),
       st.floats(-0.6, 0.6, allow_subnormal=False))
def test_fillets_hold_their_volume_wherever_the_part_lies(mm3, degrees, x, y, turn):
    volume = np.array([mm3]) * 1e-9
    made = shapes.fillets(contact(1, center=np.array([[x, y]]) * 1e-3, angle=np.array([turn])), volume, np.radians([degrees]))
    assert shapes.volumes(made)[0] == pytest.approx(volume[0], rel=1e-6)
    assert made.rings[..., 2].min() >= -1e-12 and np.isfinite(shapes.normals(made, 1)).all()


def test_every_shape_is_closed():
    v = np.array([0.02, 0.05, 0.12]) * 1e-9
    n = len(v)
    zero, land, on = np.zeros((n, 2)), np.full((n, 2), 0.4e-3), np.zeros(n, bool)
    made = [
        shapes.fillets(contact(n), v, np.radians([25.0, 60.0, 110.0])),
        shapes.domes(land, zero, on, v),
        shapes.beads(zero, v, np.full(n, 2.1)),
        shapes.hanging(zero, np.full(n, 0.1e-3), np.full(n, 0.4e-3), v),
        shapes.spheres(np.zeros((n, 3)), np.full(n, 0.1e-3)),
        shapes.barrels(zero, np.full(n, 0.3e-3), np.full(n, 0.45e-3), land * 2, np.full(n, 1.6e-3), v * 10),
    ]
    for bodies in made:
        assert closed(bodies)
    for bodies, want in zip(made, [v, v, v, v, np.full(n, 4 / 3 * np.pi * 1e-12), v * 10], strict=True):
        assert shapes.volumes(bodies) == pytest.approx(want, rel=1e-6)
    assert closed(shapes.necks(zero, zero + 0.4e-3, np.full(n, 0.1e-3), np.full(n, 0.05e-3)))


@pytest.mark.parametrize("share", [0.4, 0.7, 1.0])
def test_the_solder_under_an_exposed_pad_is_a_level_layer(share):
    """A square pad on a land of its size has no outward side: little solder is a thinner layer, V / A thick, and no wedge."""
    half, gap = 1.7e-3, 40e-6
    pad = contact(1, half_land=np.full((1, 2), half), center=np.zeros((1, 2)), half=np.full((1, 2), half),
                  clearance=np.full(1, gap), height=np.full(1, 0.2e-3), end=np.full(1, 0.1), side=np.full(1, 0.1),
                  inner=np.full(1, 0.1))
    volume = np.full(1, share * 4 * half**2 * gap)
    bodies = shapes.fillets(pad, volume, np.radians([30.0]))
    assert closed(bodies) and shapes.volumes(bodies) == pytest.approx(volume, rel=1e-9)
    layer = bodies.rings[0, 0]                            # the edge of what lies under the pad
    assert np.ptp(layer[:, 2]) < 1e-12 and layer[0, 2] == pytest.approx(volume[0] / (4 * half**2), rel=0.08)   # the rim falls off
    assert layer[:, 0].min() < -0.97 * half and layer[:, 0].max() > 0.97 * half


def test_more_solder_climbs_higher_until_the_termination_is_covered_then_bulges():
    v = np.array([0.01, 0.03, 0.06, 0.10, 0.20, 0.35]) * 1e-9
    made = shapes.fillets(contact(len(v)), v, np.full(len(v), np.radians(30)))
    crest = made.rings[:, 1, :, 2].max(axis=1)
    assert (np.diff(crest) >= -1e-9).all() and crest[0] < 0.1e-3 and crest[-1] > 0.72e-3
    middle = made.rings[:, 3, :, 2].max(axis=1) / crest                   # bulging: half way out it is still high
    assert middle[0] < 0.5 < middle[-1]


def test_wetting_angle_decides_between_hollow_and_bulging():
    v = np.full(2, 0.05e-9)
    made = shapes.fillets(contact(2), v, np.radians([25.0, 110.0]))
    crest = made.rings[:, 1, :, 2].max(axis=1)
    chord = made.rings[:, 3, :, 2].max(axis=1) / crest - (1 - shapes.FILLET_T[3])
    assert chord[0] < 0 < chord[1]


def test_normals_of_a_dome_are_those_of_its_sphere():
    a, angle = 0.25e-3, np.radians(60)
    h = a * np.tan(angle / 2)
    v = np.array([np.pi * h * (3 * a**2 + h**2) / 6])
    dome = shapes.domes(np.full((1, 2), a), np.zeros((1, 2)), np.ones(1, bool), v)
    n = shapes.normals(dome)[0, :-2].reshape(*dome.rings.shape[1:])
    tilt = np.arccos(n[..., 2])
    assert np.allclose(tilt, angle * shapes.DOME_T[:, None], atol=0.02)
