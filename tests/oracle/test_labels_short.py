"""Labels against the final meshes: one unit of every defect at every severity, and a few that ran free.

Five hundred rendered samples: tests/soak/test_label_oracle.py.
"""
from __future__ import annotations

import dataclasses
import itertools

import masks
import measured_parts
import measured_solder
import numpy as np
import pytest
import rays
import shapely
import trimesh
import verdict

from domain_randomization.execution import dataset_info
from domain_randomization.recipe import Quota, Recipe
from domain_randomization.sampling import Context, make_sample, make_unit
from generators.dataset.rows import Row
from generators.dataset.shards import open_shard, shard_path, write_shard
from scenes.errors import BackendUnavailable
from scenes.geometry import PartKind
from scenes.optics import Look
from scenes.parts import mesh
from scenes.scene import Scene
from scenes.smt.profile import load_profile

FREE = 6
DEPTH = 6e-6                                   # [m] half a 24-bit step over the camera's range, and float32 in embree


@pytest.fixture(scope="module")
def context(examples):
    recipe = Recipe.read(examples / "inspector.demo.yaml").model_copy(update={"quotas_each": 1, "count": 200})
    with Context(Scene.read(recipe.scene), recipe) as made:
        yield made


def claims_of(context, unit, geometry=None):
    geometry = geometry or context.family.geometry(context.product, unit.state, Look())
    return verdict.claims(context.product.assembly, geometry, unit.state, context.product.profile, Look())


def test_meshes_agree_with_category_and_severity(context):
    tally, free = verdict.Tally(), 0
    for index in range(context.schedule.count_needed):
        free += context.schedule.slot(index) is None
        if context.schedule.slot(index) is None and free > FREE:
            continue
        unit = make_unit(context, index)
        verdict.compare(context.product.assembly, unit.findings, claims_of(context, unit), tally)
    print(tally.text())
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements))
    assert len(tally.defects) == 18 and sum(tally.defects.values()) >= 44
    assert max(tally.worst.values()) <= 1


OUT_OF_CONTROL = {
    "placement.sigma_um": 150.0, "placement.rotation_deg": 8.0, "placement.coplanarity_um": 80.0, "placement.feeder_error": 0.02,
    "placement.pick_failure": 0.02, "printer.offset_um": 110.0, "printer.clog": 0.2, "printer.gasket_um": 25.0,
    "oven.imbalance_k": 0.8, "oven.warpage_um": 120.0, "oven.thermal_mass_factor": 1.8, "handling.ball_rate": 6.0,
    "handling.residue_rate": 2.0, "handling.scratch_rate": 2.0,
}


def test_meshes_agree_where_everything_goes_wrong_at_once(context):
    """Nothing conditioned: causes of all kinds on the same units, severities anywhere, several defects on one part."""
    family, product, tally = context.family, context.product, verdict.Tally()
    for seed in range(4):
        state = family.simulate(product, family.process(product, OUT_OF_CONTROL), np.random.default_rng([seed, 77]))
        geometry = family.geometry(product, state, Look())
        for profile in map(load_profile, ("class2", "class3")):
            claimed = verdict.claims(product.assembly, geometry, state, profile, Look())
            verdict.compare(product.assembly, family.findings(product, state, profile), claimed, tally)
    print(tally.text())
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements))
    assert sum(tally.defects.values()) > 200 and len(tally.defects) >= 7


def test_the_oracle_notices_what_is_changed(context):
    """A label that is dropped, renamed, moved to another part or 10 % off, and a mesh that is moved, are disagreements."""
    slots, cells = map(context.schedule.slot, itertools.count()), context.schedule.cells
    target = next(i for i, slot in enumerate(slots) if slot is not None and cells[slot.cell].defect == "shift")
    unit, assembly = make_unit(context, target), context.product.assembly
    geometry = context.family.geometry(context.product, unit.state, Look())
    claimed = claims_of(context, unit, geometry)
    k = next(i for i, f in enumerate(unit.findings) if f.defect == "shift")
    shifted, host = unit.findings[k], unit.findings[k].instances[0]
    others = [f for i, f in enumerate(unit.findings) if i != k]
    free = next(f for f in unit.findings if not f.defect)

    def wrong(findings, claims=claimed):
        tally = verdict.Tally()
        verdict.compare(assembly, findings, claims, tally)
        return {d.what for d in tally.disagreements}

    assert not wrong(unit.findings)
    assert wrong(others) == {"measured, not labelled"}
    assert wrong([*others, dataclasses.replace(shifted, defect="rotation")]) \
        == {"measured, not labelled", "labelled, not measured"}
    assert wrong([*others, dataclasses.replace(shifted, instances=free.instances)]) >= {"labelled, not measured"}
    assert wrong([f for f in unit.findings if f is not free]) == {"good part"}
    assert wrong([*others, dataclasses.replace(shifted, severity=1.1 * shifted.severity)]) == {"severity"}
    groups = []
    for group in geometry.instances:
        pose = group.pose.copy()
        pose[group.instance == host, :2, 3] = assembly.position[host - 2]
        groups.append(dataclasses.replace(group, pose=pose))
    moved = claims_of(context, unit, dataclasses.replace(geometry, instances=tuple(groups)))
    assert "labelled, not measured" in wrong(unit.findings, moved)


def test_measured_feet_are_the_terminals_of_the_design(context):
    """What the oracle reads off a mesh is the package's own number, outer end and sides, to the measuring tolerance."""
    for package in {p.key: p for p in context.product.assembly.packages}.values():
        feet = measured_parts.feet_of(mesh(package), package)
        for terminal, corners in zip(package.terminals, feet.corners, strict=True):
            u = np.array([np.cos(terminal.direction), np.sin(terminal.direction)])
            local = (corners - terminal.center) @ np.array([u, [-u[1], u[0]]]).T
            assert local[:, 0].max() == pytest.approx(terminal.size[0] / 2, abs=verdict.LENGTH), package.name
            assert np.abs(local[:, 1]).max() == pytest.approx(terminal.size[1] / 2, abs=verdict.LENGTH), package.name


def test_voids_lie_inside_their_balls(context):
    unit = make_unit(context, 0)
    state, rows = unit.state, context.product.assembly.joints
    solder = measured_solder.by_id(context.family.geometry(context.product, state, Look()).soup)
    first = 2 + len(context.product.assembly.components)
    assert len(state.voids.radius) > 10
    for j, center, radius in zip(state.voids.joint, state.voids.center, state.voids.radius, strict=True):
        ball = solder[first + int(j)]
        at = np.array([*rows.land_center[j], ball.top / 2]) + center
        assert measured_solder.winding(at[None], ball)[0] == pytest.approx(1, abs=1e-6)
        wall = trimesh.Trimesh(ball.vertices - at, ball.faces, process=False)
        assert np.linalg.norm(trimesh.triangles.closest_point(wall.triangles, np.zeros((len(wall.faces), 3))), axis=1).min() \
            > radius - 5e-6


def test_every_solder_body_is_closed(context):
    unit = make_unit(context, 1)
    for body in measured_solder.by_id(context.family.geometry(context.product, unit.state, Look()).soup).values():
        assert body.closed and body.volume > 0


def test_measures_against_closed_forms():
    box = trimesh.creation.box((2.0, 3.0, 4.0))
    body = measured_solder.Body(box.vertices + 10.0, box.faces, 0.1, PartKind.JOINT)
    assert body.closed and body.volume == pytest.approx(24) and (body.low, body.top) == (8, 12)
    assert measured_solder.winding(np.array([[10.0, 10, 10], [10, 10, 12.1]]), body) == pytest.approx([1, 0], abs=1e-9)
    assert measured_solder.ball_diameter(body) == pytest.approx((6 * 24 / np.pi) ** (1 / 3))
    assert measured_solder.extent(shapely.box(0, 0, 3, 4)) == 5
    assert measured_solder.groove(shapely.LineString([(0, 0), (30, 40)]).buffer(0.5, cap_style="flat")) \
        == pytest.approx((50, 1), rel=1e-3)


QUOTAS = ("missing", "bridge", "bga_void", "residue", "scratch")


@pytest.fixture(scope="module")
def rendered(context, tmp_path_factory):
    """Five rendered samples, stored and read back: [(row, geometry)], and their context."""
    quotas = tuple(Quota(defect=d, count=1, levels="any") for d in QUOTAS)
    recipe = context.recipe.model_copy(update={
        "quotas_each": 0, "quotas": quotas, "count": 5, "defective_fraction": 1.0,
        "frames": context.recipe.frames.model_copy(update={"pixel_um": 80.0}),
        "outputs": context.recipe.outputs.model_copy(update={"labels": ("instance", "part", "depth")})})
    out = tmp_path_factory.mktemp("rendered")
    with Context(context.scene, recipe, product=context.product) as made:
        try:
            info = dataset_info(made, made.renderer.build)
        except BackendUnavailable as error:
            pytest.skip(str(error))
        (out / "data").mkdir()
        write_shard(out, 0, [make_sample(made, i) for i in range(5)], info)
        rows = []
        with open_shard(shard_path(out, 0)) as file:
            for group in range(file.num_row_groups):
                rows += [Row(data, "sample") for data in file.read_row_group(group).to_pylist()]
        units = [make_unit(made, row.index) for row in rows]
        yield made, [(row, made.family.geometry(made.product, unit.state, masks.look_of(row)))
                     for row, unit in zip(rows, units, strict=True)]


def test_stored_masks_are_what_they_say(rendered):
    context, rows = rendered
    damaged, count = [], 0
    for row, _ in rows:
        for item in row.instances:
            lands = masks.lands_of(context.product.assembly, item, masks.camera_of(row))
            damaged += masks.wrong_with(row, item, row.label("instance"), lands)
            count += 1
    assert not damaged, "\n".join(damaged)
    assert count > 5 * 50 and {i.defect for row, _ in rows for i in row.instances} >= set(QUOTAS)


def test_stored_ids_and_depth_agree_with_a_ray_cast(rendered):
    _, rows = rendered
    pixels = rays.Agreement()
    for row, geometry in rows[1:4]:
        camera = masks.camera_of(row)
        pixels.add(rays.cast(geometry, camera), row.label("instance"), row.label("depth"), camera, DEPTH)
    print(pixels.text())
    assert pixels.ids > 4e5 and pixels.depths > 0.5 * pixels.ids
    assert pixels.ids_same >= 0.999 * pixels.ids and pixels.depths_same >= 0.999 * pixels.depths
