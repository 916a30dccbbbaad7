"""Printing, placement and reflow against closed forms; local faults stay local; drifts show where physics says."""
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, norm, spearmanr
from smt_fixture import CHIPS, DENSITY, MM, bga, board_of, chip, example, soic

from scenes.smt.acceptance import findings
from scenes.smt.assembly import assemble
from scenes.smt.layout import layout, moment_ratio
from scenes.smt.oven import Oven, reflow_profile
from scenes.smt.placement import place
from scenes.smt.printing import noise, print_paste
from scenes.smt.process import Fault, Placement, Process, drifted
from scenes.smt.profile import load_profile
from scenes.smt.reflow import (
    CENTRING,
    centred,
    coldness,
    collapsed,
    critical_delay,
    lift_angle,
    neck_width,
    segment_radius,
    shares,
)
from scenes.smt.simulate import simulate

RATIOS = {"01005": 71, "0201": 31, "0402": 11, "0603": 4.4, "0805": 2.8, "1206": 1.1}


def units(process, count=60, assembly=None, seed=0):
    assembly = assembly or example()
    return [simulate(assembly, process, np.random.default_rng([seed, i])) for i in range(count)]


# --- printing -------------------------------------------------------------------------------------------------------

def test_solder_is_half_the_paste_times_transfer_efficiency():
    """Volume conservation: mean over many prints within 1 %, every opening."""
    a = example()
    made = np.mean([print_paste(a, layout(a), Process(), np.random.default_rng(i)).volume for i in range(800)], axis=0)
    rows = a.joints
    te = 1 / (1 + np.exp(-(rows.aperture_ratio - 0.5) / 0.066))
    expected = 0.5 * rows.aperture_area * 0.12 * MM * te
    clean = replace(Process(), printer=replace(Process().printer, noise_low=0.0, noise_high=0.0))
    exact = print_paste(a, layout(a), clean, np.random.default_rng(0)).volume
    assert exact == pytest.approx(expected, rel=1e-12)
    assert made.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert made == pytest.approx(expected, rel=0.02)


def test_noise_grows_as_the_area_ratio_falls():
    assert noise(0.08, 0.15, np.array([2.0, 0.9, 0.7, 0.5, 0.3])) == pytest.approx([0.08, 0.08, 0.115, 0.15, 0.15])


def test_clogging_lowers_the_area_ratio_and_hits_small_openings_most():
    a = example()
    clean = replace(Process().printer, noise_low=0.0, noise_high=0.0)
    whole = print_paste(a, layout(a), Process(printer=clean), np.random.default_rng(0)).volume
    clogged = print_paste(a, layout(a), Process(printer=replace(clean, clog=0.3)), np.random.default_rng(0)).volume
    ratio = a.joints.aperture_ratio
    te = lambda x: 1 / (1 + np.exp(-(x - 0.5) / 0.066))                   # noqa: E731
    assert clogged / whole == pytest.approx(te(0.7 * ratio) / te(ratio))
    assert (clogged / whole)[ratio < 0.7].max() < 0.4 < (clogged / whole)[ratio > 1.5].min()


def test_a_rotated_print_turns_about_the_boards_middle():
    a = example()
    still = replace(Process().printer, offset_std=0.0, rotation=1e-3, offset_x=20e-6)
    offset = print_paste(a, layout(a), Process(printer=still), np.random.default_rng(0)).offset
    arm = a.joints.land_center - np.array([30, 22.5]) * MM
    assert offset == pytest.approx(np.column_stack([20e-6 - 1e-3 * arm[:, 1], 1e-3 * arm[:, 0]]), abs=1e-12)


def test_a_long_neck_breaks():
    """Rayleigh–Plateau: longer than π times its width."""
    gap = np.full(3, 0.2 * MM)
    bead = np.array([0.9, 1.1, 3.0]) * 0.2 * MM / np.pi / 0.8
    width = neck_width(gap, np.full(3, 1.0 * MM), np.zeros(3), bead)
    assert width[0] == 0 and width[1:] == pytest.approx(0.8 * bead[1:])


# --- placement ------------------------------------------------------------------------------------------------------

def test_placement_error_exceeds_three_and_four_sigma_as_often_as_a_normal():
    """σ = 12.5 µm: 2700 ppm beyond 37.5 µm, 63.3 ppm beyond 50 µm, within the 99.9 % binomial interval."""
    a = example()
    ideal = Process(placement=replace(Placement(), bias_x=(0.0,) * 8, bias_y=(0.0,) * 8))
    axes = np.concatenate([place(a, layout(a), ideal, np.random.default_rng(i)).offset.ravel() for i in range(2500)])
    for limit, ppm in ((37.5e-6, 2700), (50e-6, 63.3)):
        low, high = binom.interval(0.999, len(axes), ppm * 1e-6)
        assert low <= (np.abs(axes) > limit).sum() <= high
    assert axes.std() == pytest.approx(12.5e-6, rel=0.01)


def test_nozzle_wear_widens_shifts_and_loses_parts():
    a = example()
    def run(wear):
        process = drifted(Process(), {"placement.nozzle_wear": wear})
        placed = [place(a, layout(a), process, np.random.default_rng(i)) for i in range(250)]
        spread = np.std([p.offset - np.mean([q.offset for q in placed], axis=0) for p in placed])
        return spread, 1 - np.mean([p.present for p in placed]), placed[0].vacuum
    new, worn = run(0.0), run(1.0)
    assert new[0] == pytest.approx(12.5e-6, rel=0.03) and worn[0] == pytest.approx(32.5e-6, rel=0.03)
    assert new[1] < 1e-3 < 5e-3 < worn[1] < 0.05
    assert (new[2], worn[2]) == pytest.approx((-80e3, -55e3))


# --- tombstones -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", RATIOS)
def test_moment_ratio_table(size):
    """γ·W·H·sin 30° over m·g·L/2 with 4500 kg/m³ (domain reference 2.1.6)."""
    length, width, *_ = (v * MM for v in CHIPS[size])
    ratio = moment_ratio(length, width, width, DENSITY * length * width * width)
    assert ratio == pytest.approx(RATIOS[size], rel=0.03)


def test_tombstones_fall_monotonically_with_part_size():
    """In the closed form and in a simulated lot with uneven heating."""
    ratio = np.array(sorted(RATIOS.values(), reverse=True))
    assert (np.diff(critical_delay(ratio)) > 0).all()
    assert 2.5 < critical_delay(ratio)[0] < 3.0 < 5.0 < critical_delay(ratio)[-1]
    assert critical_delay(np.array([0.9])) == np.inf
    parts = [(f"R{i}", chip(size), 4 + 4.5 * (i % 12), 4 + 4.5 * (i // 12), 0.0) for i, size in enumerate(list(RATIOS) * 18)]
    board, packages = board_of(parts, (60, 60))
    a = assemble(board, "front", packages, 0.12 * MM)
    lifted = np.mean([s.lift > 0.5 for s in units(drifted(Process(), {"oven.imbalance_k": 3.2}), 60, a)], axis=0)
    share = [lifted[i::6].mean() for i in range(6)]
    melting = (248 - 217) / 29.6                                          # [K/s] in zone 7, where the solder melts
    expected = 2 * norm.sf(critical_delay(ratio) * melting / 3.2)         # what the temperature difference's normal gives
    assert (np.diff(expected) < 0).all()
    assert share == pytest.approx(expected, abs=4 * np.sqrt(0.25 / (18 * 60)))
    assert share[0] > share[3] > share[4] > share[5]
    assert np.mean([s.lift > 0 for s in units(Process(), 20, a)]) == 0


def test_lift_angle_is_between_30_and_90_degrees_and_grows_with_the_delay():
    delay = np.linspace(0, 12, 400)
    angle = np.degrees(lift_angle(np.full(400, 11.0), delay))
    up = angle[angle > 0]
    assert up[0] == pytest.approx(30, abs=0.5) and up[-1] == pytest.approx(90) and (np.diff(up) >= 0).all()
    assert delay[angle > 0][0] == pytest.approx(2.5 + 3 / 11, abs=0.05)
    assert lift_angle(np.array([11.0]), np.array([-6.0])) == lift_angle(np.array([11.0]), np.array([6.0]))


def test_the_end_that_wets_first_stays_down():
    a = example()
    c = next(i for i, p in enumerate(a.packages) if p.name == "0402")
    cold = int(layout(a).start[c])                                        # joint of pad 1, towards −x of the package
    state = simulate(a, Process().with_faults(Fault("uneven_heating", c, cold, values=(6.0,))), np.random.default_rng(1))
    assert state.lift[c] > 0.5 and np.cos(state.lift_axis[c]) == pytest.approx(1)
    assert not state.wetted[cold] and state.wetted[cold + 1]
    assert state.gap[cold] == pytest.approx(np.sin(state.lift[c]) * 1.0 * MM)


# --- self-centring and collapse -------------------------------------------------------------------------------------

def test_self_centring_removes_50_to_90_percent_while_lands_overlap():
    share = np.array([1.0, 0.6, 0.5, 0.25, 0.0])
    offset = np.full((5, 2), 100e-6)
    weak, _ = centred(np.full(5, CENTRING[0]), offset, np.zeros(5), share)
    strong, _ = centred(np.full(5, CENTRING[1]), offset, np.zeros(5), share)
    assert (weak[:3, 0] == pytest.approx(40e-6)) and (strong[:3, 0] == pytest.approx(10e-6))
    assert weak[4, 0] == strong[4, 0] == 100e-6                           # no overlap: nothing pulls
    a = example()
    final = np.array([s.offset for s in units(Process(), 80)])
    placed = [place(a, layout(a), Process(), np.random.default_rng([0, i]).spawn(5)[1]).offset for i in range(80)]
    removed = 1 - np.linalg.norm(final, axis=2) / np.linalg.norm(placed, axis=2)
    assert removed.min() > 0.5 and removed.max() <= 0.9 + 1e-9


def test_without_liquid_solder_nothing_centres():
    process = drifted(Process(), {"oven.zone7_8_offset_c": -80})
    assert reflow_profile(process.oven).peak < 217
    state = simulate(example(), process, np.random.default_rng(3))
    placed = place(example(), layout(example()), process, np.random.default_rng(3).spawn(5)[1])
    assert state.offset == pytest.approx(placed.offset)
    assert not state.wetted.any() and (state.roughness > 0.3).all()


def test_overlap_shares_agree_with_polygons():
    import shapely
    from shapely import affinity

    from scenes.smt.layout import land_boxes, overhang
    a, rng = example(), np.random.default_rng(5)
    offset = rng.normal(0, 80e-6, (len(a.components), 2))
    c = a.joints.component
    side, end, _, area = overhang(a, slice(None), offset[c], np.zeros(len(c)))
    lands = land_boxes(a)
    for j in rng.choice(len(c), 40, replace=False):
        length, width = a.joints.term_size[j]
        terminal = shapely.box(-length / 2, -width / 2, length / 2, width / 2)
        terminal = affinity.rotate(terminal, a.joints.land_angle[j], origin=(0, 0), use_radians=True)
        terminal = affinity.translate(terminal, *(a.joints.term_center[j] + offset[c[j]]))
        assert area[j] == pytest.approx(terminal.intersection(lands[j]).area, rel=1e-6, abs=1e-14)
        back = affinity.rotate(terminal, -a.joints.land_angle[j], origin=tuple(a.joints.land_center[j]), use_radians=True)
        x, y = np.array(back.exterior.coords).T - a.joints.land_center[j][:, None]
        half = a.joints.land_size[j] / 2
        assert side[j] == pytest.approx(max(np.abs(y).max() - half[1], 0), abs=1e-12)
        assert end[j] == pytest.approx(max(x.max() - half[0], 0), abs=1e-12)
    assert shares(a, layout(a), slice(None), np.zeros((len(c), 2)), np.zeros(len(c))) == pytest.approx(np.ones(len(c)))


def test_bga_collapse_known_answer():
    """A 0.5 mm ball between 0.40 mm pads: stand-off 0.347 mm, greatest diameter 0.530 mm (domain reference 2.1.6)."""
    height = collapsed(np.array(np.pi / 6 * (0.5 * MM)**3), np.array(0.2 * MM))
    assert float(height) == pytest.approx(0.347 * MM, rel=0.01)
    assert 2 * float(segment_radius(height, np.array(0.2 * MM))) == pytest.approx(0.530 * MM, rel=0.01)
    h, r = float(height), 0.2 * MM
    assert np.pi * h * (6 * r * r + h * h) / 6 == pytest.approx(np.pi / 6 * (0.5 * MM)**3, rel=1e-9)


def test_a_bga_stands_on_its_collapsed_balls():
    a = example()
    u = next(i for i, p in enumerate(a.packages) if p.kind == "bga")
    state = simulate(a, Process(), np.random.default_rng(0))
    assert 0.3 * MM < state.standoff[u] < 0.46 * MM
    chips = [i for i, p in enumerate(a.packages) if p.kind.startswith("chip")]
    assert (state.standoff[chips] > 5e-6 - 1e-12).all() and (state.standoff[chips] <= 30e-6).all()


# --- cold joints, voids, pillows ------------------------------------------------------------------------------------

def test_cold_joint_limits():
    assert coldness(np.array([230.0, 245.0, 240.0]), np.array([40.0, 61.5, 45.0])).max() == 0
    assert coldness(np.array([222.5]), np.array([60.0])) == pytest.approx(0.5)
    assert coldness(np.array([245.0]), np.array([30.0])) == pytest.approx(0.5)
    assert coldness(np.array([210.0]), np.array([0.0])) == 1


def test_the_cold_zone_makes_joints_rough_and_the_healthy_oven_does_not():
    cold = drifted(Process(), {"oven.speed_factor": 0.75 / 0.7, "oven.zone7_8_offset_c": -20})
    healthy, rough = units(Process(), 20), units(cold, 20)
    assert max(s.roughness.max() for s in healthy) < 0.16
    assert min(np.median(s.roughness) for s in rough) > 0.15
    assert np.degrees(min(s.contact_angle.min() for s in rough)) > 20
    assert 60 < np.degrees(max(s.contact_angle.max() for s in rough)) <= 130


def test_voids_lie_inside_their_ball_and_apart_seen_from_above():
    from scenes.smt.reflow import ball_radius
    a = example()
    ball = int(np.flatnonzero(layout(a).ball)[7])
    for share in (0.1, 0.25, 0.31, 0.36, 0.42):
        for seed in range(12):
            fault = Fault("outgassing", joint=ball, values=(share,))
            state = simulate(a, Process().with_faults(fault), np.random.default_rng(seed))
            v, radius = state.voids, ball_radius(a, state.standoff)
            assert (np.linalg.norm(v.center, axis=1) + v.radius < radius[v.joint]).all()
            assert (np.abs(v.center[:, 2]) + v.radius < state.standoff[a.joints.component[v.joint]] / 2).all()
            own = v.joint == ball
            for j in np.unique(v.joint):
                x, r = v.center[v.joint == j, :2], v.radius[v.joint == j]
                apart = np.linalg.norm(x[:, None] - x[None], axis=2) + np.eye(len(r))
                assert (apart >= (r[:, None] + r[None]) * (1 - np.eye(len(r)))).all()
            assert (v.radius[own]**2).sum() / radius[ball]**2 == pytest.approx(share, rel=0.08)


def test_head_in_pillow_needs_warpage_and_grows_outwards():
    a = example()
    u = next(i for i, p in enumerate(a.packages) if p.kind == "bga")
    state = simulate(a, Process().with_faults(Fault("warpage", u, values=(120e-6,))), np.random.default_rng(2))
    gap, far = state.gap, layout(a).edge_distance
    ball = layout(a).ball
    assert 0 < (gap[ball] > 0).sum() < ball.sum() and gap.max() <= 20e-6
    assert far[ball & (gap > 0)].min() > far[ball & (gap == 0)].max() - 0.25
    assert max(s.gap[ball].max() for s in units(Process(), 30)) == 0


def test_a_lead_lifts_when_solder_does_not_reach_it():
    board, packages = board_of([("U1", soic(8), 20, 20, 0.2)])
    a = assemble(board, "front", packages, 0.12 * MM)
    for height in (20e-6, 150e-6, 300e-6):
        state = simulate(a, Process().with_faults(Fault("bent_lead", 0, 3, values=(height,))), np.random.default_rng(0))
        bump = state.volume[3] / a.joints.land_size[3].prod()
        assert state.gap[3] == pytest.approx(max(height - bump, 0))
        assert state.wetted[3] == (height < bump)


# --- streams and coupling -------------------------------------------------------------------------------------------

def test_equal_inputs_give_equal_states_and_other_seeds_do_not():
    a, process = example(), drifted(Process(), {"printer.clog": 0.2, "handling.ball_rate": 3})
    one, two = (simulate(a, process, np.random.default_rng(11)).digest() for _ in range(2))
    assert one == two != simulate(a, process, np.random.default_rng(12)).digest()


@pytest.mark.parametrize("fault", [
    Fault("clogged_aperture", 5, 10, values=(0.2,)), Fault("slip", 5, values=(3e-4, 0.0, 0.1)), Fault("missing_pick", 5),
    Fault("outgassing", joint=130, values=(0.4,)), Fault("splash", values=(0.01, 0.01, 2e-4)),
    Fault("cold_spot", 5, values=(20.0,)), Fault("uneven_heating", 5, 10, values=(6.0,))], ids=lambda f: f.kind)
def test_a_local_fault_changes_nothing_elsewhere(fault):
    a = example()
    before = simulate(a, Process(), np.random.default_rng(4))
    after = simulate(a, Process().with_faults(fault), np.random.default_rng(4))
    others = np.arange(len(a.components)) != 5
    joints = (a.joints.component != 5) & (np.arange(len(a.joints)) != 130)
    for name in ("present", "offset", "rotation", "lift", "orientation", "standoff"):
        assert np.array_equal(getattr(before, name)[others], getattr(after, name)[others]), name
    for name in ("volume", "contact_angle", "wetted", "gap", "roughness", "paste_offset"):
        assert np.array_equal(getattr(before, name)[joints], getattr(after, name)[joints]), name
    assert before.digest() != after.digest()
    n = len(before.balls.diameter)
    assert np.array_equal(before.balls.center, after.balls.center[:n])
    assert np.array_equal(before.residues.center, after.residues.center)


def test_drifts_couple_to_their_defects_and_an_uncoupled_sensor_does_not():
    """Spearman ρ(zone 8, cold joints) < −0.5 (domain reference 6.4); the nozzle's vacuum knows nothing of the oven."""
    a, profile, rng = example(), load_profile("class2"), np.random.default_rng(0)
    zone, wear, rate, vacuum, peak = [], [], [], [], []
    for i in range(160):
        drift = {"oven.zone7_8_offset_c": float(rng.uniform(-32, 0)), "placement.nozzle_wear": float(rng.uniform(0, 0.5)),
                 "oven.speed_factor": 1.07}
        state = simulate(a, drifted(Process(), drift), np.random.default_rng([1, i]))
        zone.append(state.signals["reflow.zone8"])
        wear.append(drift["placement.nozzle_wear"])
        rate.append(sum(f.defect == "cold_joint" for f in findings(a, state, profile)))
        vacuum.append(state.signals["placement.vacuum"])
        peak.append(state.signals["reflow.peak"])
    assert spearmanr(zone, rate).statistic < -0.5
    assert spearmanr(zone, peak).statistic > 0.99
    assert spearmanr(wear, vacuum).statistic > 0.99
    assert abs(spearmanr(zone, vacuum).statistic) < 0.2                   # 160 units: two-sided 99 % bound of no correlation


def test_soak_drives_voids_and_ramp_drives_balls():
    a = example()
    def share(process):
        return np.mean([(s.voids.radius**2).sum() for s in units(process, 30)])
    short = Process(oven=replace(Oven(), zones=(110.0, 130.0, 140.0, 145.0, 170.0, 235.0, 255.0, 256.0, 130.0, 60.0)))
    assert reflow_profile(short.oven).soak < 50
    assert share(short) > 1.5 * share(Process())
    fast = Process(oven=replace(Oven(), zones=(150.0, 160.0, 165.0, 175.0, 190.0, 225.0, 248.0, 252.0, 130.0, 60.0)))
    assert reflow_profile(fast.oven).ramp > 3.5
    def balls(process):
        return np.mean([len(s.balls.diameter) for s in units(process, 60, a)])
    assert balls(fast) > 5 * max(balls(Process()), 0.02)


def test_ball_counts_are_poisson():
    board, packages = board_of([("R1", chip("0603"), 30, 20, 0.0)])
    small = assemble(board, "front", packages, 0.12 * MM)
    counts = [len(s.balls.diameter) for s in units(drifted(Process(), {"handling.ball_rate": 3.0}), 200, small)]
    assert np.mean(counts) == pytest.approx(3.0, abs=4 * np.sqrt(3 / 200))
    assert np.var(counts) == pytest.approx(3.0, rel=0.35)


def test_an_assembly_without_balls_or_paste_still_runs():
    board, packages = board_of([("U1", bga(3), 20, 20, 0.0)])
    bare = replace(board, layers=(replace(board.layers[0], shapes=(), dark=()),))
    state = simulate(assemble(bare, "front", packages, 0.12 * MM), Process(), np.random.default_rng(0))
    assert state.present.all() and len(state.voids.radius) == 0
    empty, none = board_of([])
    assert len(simulate(assemble(empty, "front", none, 0.12 * MM), Process(), np.random.default_rng(0)).present) == 0
