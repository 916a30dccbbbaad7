"""Meshes: closed, oriented, as large as the package says; leads where the terminals are."""
import math

import numpy as np
import pytest
import trimesh
from part_footprints import CASES

from scenes.geometry import PartKind
from scenes.parts import describe, marking, mesh
from scenes.parts.marks import eia96, ohms, part_number, value_code

PARTS = [c[3] for c in CASES]
IDS = [c.package for c in PARTS]


def bodies(m):
    whole = trimesh.Trimesh(m.vertices.astype(float) * 1e3, m.faces.astype(np.int64), process=False)
    whole.merge_vertices(merge_tex=True, merge_norm=True)
    return whole.split(only_watertight=False)


@pytest.mark.parametrize("part", PARTS, ids=IDS)
def test_every_body_is_closed_and_faces_outwards(part):
    for body in bodies(mesh(describe(part))):
        assert body.is_watertight and body.is_winding_consistent and body.volume > 0


@pytest.mark.parametrize("part", PARTS, ids=IDS)
def test_mesh_has_the_package_s_size(part):
    package = describe(part)
    m = mesh(package)
    low, high = m.vertices.min(axis=0), m.vertices.max(axis=0)
    ball = package.terminals[0].height if package.kind == "bga" else 0.0
    if package.kind != "header":                                           # pins stand above the plastic
        assert high[2] == pytest.approx(package.body[2] + ball, rel=0.03)
    body = m.vertices[m.part == PartKind.BODY]
    size = body.max(axis=0) - body.min(axis=0)
    assert size[0] <= package.body[0] * 1.02 and size[1] <= package.body[1] * 1.02
    assert size[0] >= package.body[0] * 0.6 and size[1] >= package.body[1] * 0.6
    assert low[2] >= -3e-3


@pytest.mark.parametrize("part", PARTS, ids=IDS)
def test_normals_are_unit_and_agree_with_the_faces(part):
    m = mesh(describe(part))
    assert np.allclose(np.linalg.norm(m.normals, axis=1), 1, atol=1e-5)
    a, b, c = (m.vertices[m.faces[:, i]].astype(float) for i in range(3))
    face = np.cross(b - a, c - a)
    length = np.linalg.norm(face, axis=1)
    real = length > 1e-16
    for i in range(3):
        assert (np.einsum("ij,ij->i", face, m.normals[m.faces[:, i]])[real] > 0.5 * length[real]).all()


@pytest.mark.parametrize("part", PARTS, ids=IDS)
def test_metal_lies_over_every_terminal(part):
    package = describe(part)
    m = mesh(package)
    lead = m.vertices[m.part == PartKind.LEAD].astype(float)
    for t in package.terminals:
        c, s = math.cos(t.direction), math.sin(t.direction)
        d = lead[:, :2] - t.center
        local = np.column_stack([c * d[:, 0] + s * d[:, 1], -s * d[:, 0] + c * d[:, 1]])
        near = (np.abs(local) <= np.array(t.size) / 2 + 30e-6).all(axis=1)
        bottom = (package.terminals[0].height if t.kind == "ball" else 0.0) + 0.02e-3
        if package.kind != "connector" or t.kind == "through":
            assert near.any() and lead[near][:, 2].min() <= bottom, t


def test_triangle_counts_stay_moderate():
    for part in PARTS:
        package = describe(part)
        faces = len(mesh(package).faces)
        if package.kind in ("chip_resistor", "chip_capacitor", "chip_inductor", "chip_diode"):
            assert faces <= 200
        if package.kind == "qfp":
            assert faces <= 60 * len(package.terminals) + 200


def test_meshes_are_cached_by_key_and_lifted_leads_are_not_shared():
    soic = next(p for p in PARTS if p.package.startswith("SOIC"))
    a, b = mesh(describe(soic)), mesh(describe(soic))
    assert a is b
    bent = mesh(describe(soic), ((0, 120e-6),))
    assert bent is not a
    moved = np.abs(bent.vertices - a.vertices).max(axis=1) > 1e-6
    assert moved.any() and (bent.part[moved] == PartKind.LEAD).all()
    foot = describe(soic).terminals[0].center
    near = np.hypot(*(a.vertices[:, :2] - foot).T) < 0.3e-3
    assert bent.vertices[near][:, 2].min() == pytest.approx(120e-6, abs=2e-6)


@pytest.mark.parametrize("text, value", [("10k", 1e4), ("4k7", 4700), ("2.2k/R0402", 2200), ("0.03R/1%/R1206", 0.03), ("27R", 27),
                                         ("RA1206_(4X0603)_4B8_2.2k", 2200), ("NA(22R/R0603)", 22), ("1M", 1e6), ("100nF", None)])
def test_resistance_in_a_value(text, value):
    assert ohms(text) == (pytest.approx(value) if value is not None else None)


@pytest.mark.parametrize("value, digits, code", [(1e4, 2, "103"), (1e4, 3, "1002"), (4.7, 2, "4R7"), (27, 2, "270"), (0, 2, "0"),
                                                 (0.03, 2, "R030"), (1e6, 2, "105"), (66.5, 3, "66R5")])
def test_value_codes_of_iec_60062(value, digits, code):
    assert value_code(value, digits) == code


@pytest.mark.parametrize("value, code", [(1e3, "01B"), (1e4, "01C"), (2e3, "30B"), (1e5, "01D"), (4.7e3, None)])
def test_eia_96(value, code):
    """2 kΩ is 30B: read off the photograph of a real board."""
    assert eia96(value) == code


def test_part_number():
    assert part_number("NA(SN74LVC1G04DBVR(SOT23-5))") == "SN74LVC1G04DBVR"


@pytest.mark.parametrize("part", PARTS, ids=IDS)
def test_marks(part):
    package = describe(part)
    a = marking(package, part.value, part.reference, 3)
    b = marking(package, part.value, part.reference, 3)
    if package.kind == "chip_capacitor" or package.name in ("01005", "0201", "0402"):
        assert a is None
        return
    if a is None:
        assert mesh(package).marking is None or package.kind in ("chip_inductor", "connector")
        return
    assert a.dtype == np.uint8 and a.ndim == 2 and np.array_equal(a, b) and a.max() > 0
    x0, y0, x1, y1 = mesh(package).marking
    assert a.shape[1] / a.shape[0] == pytest.approx((x1 - x0) / (y1 - y0), rel=0.2)


def test_pin_one_dot_and_cathode_band_are_at_the_first_terminal():
    for name in ("QFN-56-1EP_7x7mm_P0.4mm_EP5.6x5.6mm", "D_SMA", "D_SOD-123", "LQFP-48_7x7mm_P0.5mm"):
        part = next(p for p in PARTS if p.package == name)
        package = describe(part)
        ink = marking(package, part.value, part.reference, 1).astype(float)
        first = package.terminals[0].center
        h, w = ink.shape
        corner = ink[: h // 6 + 1] if first[1] > 0.5e-3 else ink[h // 3: 2 * h // 3]
        half = corner[:, : w // 6 + 1] if first[0] < 0 else corner[:, -w // 6:]
        assert half.max() > 128, name
