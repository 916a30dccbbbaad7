"""A living line as the source of samples: what units met, which are chosen, what is recorded around them."""
from __future__ import annotations

import dataclasses
import itertools
import json
import re
from fractions import Fraction

import numpy as np
import pytest

from domain_randomization.ageing import aged, dimmed
from domain_randomization.choice import choose
from domain_randomization.execution import run
from domain_randomization.exposures import Instrument
from domain_randomization.living import STRETCH, Living, live
from domain_randomization.quotas import Cell, Schedule
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context, begin_sample, find_family, make_unit, replay
from domain_randomization.scenario import Scenario, line_of
from domain_randomization.story import read_story, tell, write_story
from domain_randomization.streams import stream
from generators.dataset import Dataset
from generators.dataset.shards import shard_path
from generators.inspect import inspect_dataset
from generators.traces.readings import between
from scenes.errors import RecipeError, ResumeError, SceneError
from scenes.instruments.xray import XrayMachine
from scenes.line.drifts import KINDS
from scenes.line.model import Line, Run, StationFlow
from scenes.optics import Lighting, looking_down
from scenes.scene import CameraSpec, Scene, Station

RECIPE = """\
scene: {scene}
seed: 3
count: 6
shard_size: 3
defective_fraction: 0.5
scenario:
  hours: 8
  drifts:
    clog: {{initial: 0.55}}
    hose-leak: {{life_factor: 0.02}}
  causes:
    - {{drift: clog, min: 0.7, max: 1.0, count: 2}}
  defects:
    - {{defect: missing, count: 1}}
  history_s: 120
  window_s: 0.1
  languages: [en, ko]
frames: {{pixel_um: 80}}
"""


@pytest.fixture(scope="module")
def scene(examples) -> Scene:
    return Scene.read(examples / "living_line.scene.yaml")


@pytest.fixture(scope="module")
def recipe(scene) -> Recipe:
    return Recipe.parse(RECIPE.format(scene=scene.path))


@pytest.fixture(scope="module")
def context(scene, recipe):
    with Context(scene, recipe) as made:
        yield made


@pytest.fixture(scope="module")
def dataset(scene, recipe, tmp_path_factory):
    root = tmp_path_factory.mktemp("living")
    run(scene, recipe, root, workers=0)
    return root


def test_the_same_seed_runs_the_same_line_and_another_does_not(scene):
    scenario = Scenario(hours=2)
    a, b, c = live(scene, scenario, 1), live(scene, scenario, 1), live(scene, scenario, 2)
    assert np.array_equal(a.run.start, b.run.start, equal_nan=True) and a.run.events == b.run.events
    assert not np.array_equal(a.run.start[:200], c.run.start[:200], equal_nan=True)


def test_units_meet_what_wears_when_their_station_works_on_them(context):
    living = context.story.living
    clog = [d.id for d in living.line.drifts].index("clog")
    printed = living.run.start[:, living.column("printer")]
    done = [e.time for e in living.run.events if e.drift == "clog" and e.kind in ("maintenance", "repair")]
    assert done, "the scenario lets the stencil clog until it is cleaned"
    before = living.met[(printed < done[0]) & (printed > done[0] - 1800), clog]
    after = living.met[(printed > done[0] + 900) & (printed < done[0] + 1800), clog]
    assert before.min() > 0.7 > 0.2 > after.max()          # by when they were printed, wherever they were by then


def test_a_group_shares_settings_and_never_spans_a_repair(context):
    living = context.story.living
    for leader in np.unique(living.leader).tolist():
        members = np.flatnonzero(living.leader == leader)
        assert members[0] == leader and len(members) <= STRETCH and members[-1] - members[0] < STRETCH
        assert np.ptp(living.met[members], axis=0).max() < 0.1
        assert living.settings(int(members[-1])) == living.settings(leader)


def test_outcomes_are_those_of_units_made_one_by_one(context):
    story, rng = context.story, np.random.default_rng(0)
    known = {}
    for item in story.found:
        known.setdefault(item.unit, []).append((item.defect, item.component, item.severity))
    units = [*list(known)[:5], *rng.integers(len(story.living.run.start), size=5).tolist()]
    for unit in units:
        process = context.family.process(context.product, story.living.settings(unit))
        state = context.family.simulate(context.product, process, story.living.rng(unit))
        alone = [(f.defect, f.host, f.severity) for f in context.findings(state) if f.defect]
        assert json.dumps(alone) == json.dumps(known.get(unit, []))        # NaN equals NaN in text


def test_every_unit_is_chosen_once_and_for_what_was_asked(context):
    choice, living = context.choice, context.story.living
    everything = np.concatenate([*choice.taken, choice.free])
    assert len(np.unique(everything)) == len(everything)
    clog = [d.id for d in living.line.drifts].index("clog")
    assert ((living.met[choice.taken[0], clog] >= 0.7) & (living.met[choice.taken[0], clog] <= 1.0)).all()
    assert set(choice.taken[1].tolist()) <= set(context.story.defective["missing"])
    seen = living.run.finish[everything, living.column("aoi")]
    assert np.isfinite(seen).all()


def test_a_larger_count_keeps_the_units_that_were_there(context, scene, recipe):
    larger = recipe.with_count(400)
    with Context(scene, larger) as other:
        assert [context.choice.unit(i) for i in range(6)] == [other.choice.unit(i) for i in range(6)]
        assert other.digest == context.digest


@pytest.mark.parametrize(("change", "message"), [
    ({"causes": [{"drift": "clog", "min": 0.97, "count": 5000}]}, r"drift 'clog' between 0.97 and 1: 5000 units asked"),
    ({"defects": [{"defect": "polarity", "count": 4000}]}, r"'polarity': 4000 units asked, \d+ there are"),
    ({"defects": [{"defect": "rust", "count": 1}]}, r"scenario.defects.0.defect: 'rust' is not a defect"),
    ({"drifts": {"clgo": {}}}, r"the scene has no drift 'clgo'; known: clog"),
])
def test_what_a_run_does_not_have_is_refused(scene, change, message):
    data = {"scene": str(scene.path), "count": 10_000, "scenario": {"hours": 1, **change}}
    with pytest.raises(RecipeError, match=message):
        Context(scene, Recipe.model_validate(data))


def test_more_free_samples_than_units_are_refused(scene):
    with Context(scene, Recipe(scene=scene.path, count=9000, scenario=Scenario(hours=1))) as context, \
            pytest.raises(RecipeError, match=r"lower 'count' or raise 'scenario\.hours'"):
        context.choice.unit(8999)


def test_a_scenario_leaves_nothing_to_quotas():
    text = "scene: s.yaml\ncount: 4\nquotas: [{defect: shift, count: 1}]\nscenario: {hours: 1}\n"
    with pytest.raises(RecipeError, match="the line decides what its units are"):
        Recipe.parse(text)


def test_a_scene_without_production_is_told_what_to_add(examples):
    with pytest.raises(SceneError, match="has no 'production:'"):
        line_of(Scene.read(examples / "inspector.scene.yaml"), Scenario(hours=1))


def test_a_scenario_changes_only_the_drifts_that_it_names(scene):
    onset = {"start_h": 2, "initial": 0.1, "life_factor": 0.5}
    line = line_of(scene, Scenario.model_validate({"hours": 5, "drifts": {"clog": onset}}))
    before = {d.id: d for d in scene.production.drifts}
    for drift in line.drifts:
        was = before[drift.id]
        if drift.id != "clog":
            assert drift == was
            continue
        assert (drift.start, drift.initial) == (7200.0, 0.1)
        assert drift.life == pytest.approx((was.life or KINDS[was.kind].life) / 2)
    quiet = line_of(scene, Scenario.model_validate({"hours": 5, "others": False}))
    assert all(d.start == 5 * 3600 and d.initial == 0 for d in quiet.drifts)


def test_a_story_is_read_back_as_it_was_told(context, scene, recipe, tmp_path):
    write_story(context.story, tmp_path, recipe.clock.start)
    story = read_story(tmp_path, scene, recipe)
    assert repr(story.found) == repr(context.story.found) and story.living.run.line == context.story.living.line
    assert repr(story.log) == repr(context.story.log) and story.living.run.events == context.story.living.run.events
    assert np.array_equal(story.living.met, context.story.living.met)
    other = recipe.model_copy(update={"scenario": Scenario(hours=8)})
    with pytest.raises(ResumeError, match="another line or another time"):
        read_story(tmp_path, scene, other)


def test_a_sample_holds_what_was_measured_and_written_before_it(context):
    sample, living = begin_sample(context, 0), context.story.living
    line = sample.conditions["line"]
    unit = line["unit"]
    assert sample.unit == f"U{unit:08d}" and unit == context.choice.unit(0)
    now = living.run.finish[unit, living.column("aoi")]
    start_ns = sample.time_ns - round(now * 1e9)
    slow = [t for t in sample.traces if t["sample_rate"] == 1.0]
    fast = [t for t in sample.traces if t["sample_rate"] > 1000]
    assert len(slow) == len(living.line.sensors) >= 100 and fast
    for trace, sensor in zip(slow, living.line.sensors, strict=True):      # stamped by its own clock, which may be off
        end = trace["start_ns"] + (len(trace["values"]) - 1) * 1e9 - sensor.clock_offset * 1e9
        assert sample.time_ns - 1e9 <= end <= sample.time_ns and len(trace["values"]) in (120, 121)
    assert all(0 < len(t["values"]) == round(0.1 * t["sample_rate"]) for t in fast)
    assert all(start_ns < t["start_ns"] < sample.time_ns for t in fast)
    assert [e["time_ns"] for e in sample.logs] == sorted(e["time_ns"] for e in sample.logs)
    assert all(e["time_ns"] <= sample.time_ns for e in sample.logs) and len(sample.logs) == len(line["log"])
    assert {d["id"]: d["severity"] for d in line["drifts"]} == dict(zip((d.id for d in living.line.drifts),
                                                                     living.met[unit].tolist(), strict=True))


def test_two_looks_at_the_same_second_see_the_same_reading(context):
    living = context.story.living
    sensor = next(s for s in living.line.sensors if s.channel.endswith("zone7/temperature"))
    times, values = between(living.run, sensor, 5000.0, 5600.0, living.seed)
    later, same = between(living.run, sensor, 5300.0, 7900.0, living.seed)
    assert times[0] == 5000 and times[-1] == 5600 and later[-1] == 7900
    assert np.array_equal(values[times >= 5300], same[later <= 5600], equal_nan=True)


def test_the_dataset_passes_the_gate_and_its_units_can_be_made_again(dataset, context):
    with Dataset.read(dataset) as data:
        report = inspect_dataset(data)
        for row in data:
            made = make_unit(context, row.index)
            assert replay(context, row.conditions).digest() == made.state.digest()
            known = {f.defect for f in made.findings if f.defect}
            assert {i.defect for i in row.instances if i.defect} <= known
    assert not [c.message for c in report.checks if c.status == "failed"]
    assert {"line.clock", "line.little", "line.outcome", "traces"} <= {c.id for c in report.checks}
    page = (dataset / "report" / "index.html").read_text()
    assert "Severity of drifts" in page and "One unit, as the line felt it" in page


def test_a_resumed_run_and_a_longer_one_give_the_same_bytes(dataset, scene, recipe, tmp_path):
    shard_path(dataset, 1).rename(tmp_path / "gone")
    run(scene, recipe, dataset, workers=0)                 # the story comes from the folder now
    assert shard_path(dataset, 1).read_bytes() == (tmp_path / "gone").read_bytes()
    run(scene, recipe.with_count(7), tmp_path / "more", workers=0)
    assert all(shard_path(tmp_path / "more", k).read_bytes() == shard_path(dataset, k).read_bytes() for k in (0, 1))


def test_an_old_tube_and_old_lamps_change_what_is_seen():
    camera = looking_down("top", (0.0, 0.0), 20e-6, 64, 64)
    station = Station("axi", "axi", "Line/axi", None, None, None, XrayMachine())
    machine = aged(Instrument("xray", station, (camera,)), {"axi/xray_flux": 0.5}).station.xray
    assert (machine.photons, machine.open_level) == (5000.0, 0.425)
    spec = CameraSpec("top", "telecentric", 20e-6, 64, 64, "tiles", 0.2)
    look = Instrument("rgb", dataclasses.replace(station, id="aoi", camera=spec, xray=None), (camera,))
    light = dimmed(Lighting(exposure=2.0), look, {"aoi/lamp_flux": 0.6, "aoi/focus_error": 1e-3})
    assert light.exposure == pytest.approx(1.2)
    assert light.blur == pytest.approx(0.012 * 1e-3 / 2 / 20e-6)           # NA |dz| / 2 in pixels
    untouched = Lighting()
    assert dimmed(untouched, look, {}) is untouched and aged(look, {}) is look


def test_what_people_write_is_by_the_clock_of_the_recipe(scene, monkeypatch):
    """A run that begins at 22:30 in Korea, 13:30 UTC: texts are on the clock of samples and messages; its first shift is late."""
    recipe = Recipe.parse(f"scene: {scene.path}\ncount: 1\nseed: 3\nclock: {{start: 2026-03-02T22:30:00+09:00}}\n"
                          "scenario: {hours: 26}\n")
    monkeypatch.setattr(Living, "made", lambda *_: iter(()))               # what comes of the units is not in the log
    story = tell(scene, recipe, find_family(scene), None)
    told = [(e, re.findall(r"\b(\d\d):(\d\d)", e.text)) for e in story.log if e.kind != "alarm" and "clock" in e.mentions]
    assert len(told) > 4
    for entry, times in told:
        true = (13.5 * 60 + entry.at / 60) % 1440
        away = [abs(int(h) * 60 + int(m) - true) for h, m in times]
        assert min(min(a, 1440 - a) for a in away) <= 3, entry.text
    names = [r"late|evening|2nd", r"night|3rd", r"early|day|1st"]
    for entry in (e for e in story.log if e.values and "shift" in e.mentions):
        assert re.search(rf"\b({names[round(entry.at / 28800) % 3]})\b", entry.text, re.IGNORECASE), entry.text


def little(units: int, seed: int) -> Living:
    """One station that has finished with every unit, and nothing that wears."""
    line = Line("L", 10.0, (StationFlow("aoi", "aoi", "L/aoi", (), 5.0),))
    times = np.arange(units, dtype=float)[:, None] * 10
    nothing = np.zeros((0, 0))
    return Living(Run(line, 10.0 * units, times, times, times + 5, times + 5, (), np.zeros(0), nothing, nothing,
                      np.zeros(units, np.int32)), seed)


def wanting(**counts: int) -> Schedule:
    cells = tuple(Cell(name, "any", -np.inf, np.inf, count, ()) for name, count in counts.items())
    return Schedule(cells, Fraction(1), 0, (0.8, 0.1, 0.1))


@pytest.mark.parametrize("seed", range(60))
def test_quotas_are_refused_only_where_no_choice_meets_them(seed):
    """Against every choice there is (Hall's theorem: any set of quotas has as many units between them as they ask for)."""
    rng = np.random.default_rng(seed)
    has = {name: tuple(np.flatnonzero(rng.random(9) < 0.45).tolist()) for name in "abcd"}
    schedule = wanting(**{name: int(rng.integers(1, 4)) for name in "abcd"})
    sets = [s for n in range(1, 5) for s in itertools.combinations(schedule.cells, n)]
    possible = all(len(set().union(*(has[c.defect] for c in s))) >= sum(c.count for c in s) for s in sets)
    living = little(9, seed)
    if not possible:
        with pytest.raises(RecipeError, match=r"'[abcd]': \d units asked, \d there are"):
            choose(living, schedule, "aoi", has)
        return
    choice = choose(living, schedule, "aoi", has)
    order = stream(seed, 0, "units").permutation(9).tolist()
    for cell, units in zip(schedule.cells, choice.taken, strict=True):
        assert len(units) == cell.count and set(units.tolist()) <= set(has[cell.defect])
        assert [order.index(u) for u in units.tolist()] == sorted(order.index(u) for u in units.tolist())
    assert sorted(np.concatenate([*choice.taken, choice.free]).tolist()) == list(range(9))
    again = choose(living, schedule, "aoi", has)
    assert all(np.array_equal(a, b) for a, b in zip(choice.taken, again.taken, strict=True))


def test_the_fewest_first_is_kept_where_it_is_enough_and_left_where_it_is_not():
    has = {"few": (0, 1), "many": (0, 2, 3)}
    assert all(len(choose(little(4, s), wanting(few=1, many=3), "aoi", has).taken[1]) == 3 for s in range(8))   # few takes 1
    for seed in range(8):
        order = stream(seed, 0, "units").permutation(4).tolist()
        few, many = choose(little(4, seed), wanting(few=1, many=1), "aoi", has).taken
        first = min((0, 1), key=order.index)
        assert few.tolist() == [first]
        assert many.tolist() == [min({0, 2, 3} - {first}, key=order.index)]


def test_large_quotas_are_shared_out_in_little_memory():
    """Every one of 27,000 units is needed, 5,000 of them wanted by both: pairs of places and units would be 5 · 10⁸."""
    has = {"a": range(10_000), "b": range(5_000, 27_000)}
    first, second = choose(little(30_000, 1), wanting(a=9_000, b=18_000), "aoi", has).taken
    assert (len(first), len(second)) == (9_000, 18_000) and not set(first.tolist()) & set(second.tolist())


def test_the_story_of_an_empty_hour_is_whole(scene):
    """A line that has only just begun: few units, none finished, still a story."""
    family = find_family(scene)
    recipe = Recipe(scene=scene.path, count=1, scenario=Scenario(hours=0.02))
    story = tell(scene, recipe, family, family.product(scene))
    assert isinstance(story.living, Living) and len(story.living.run.start) >= 1
    with pytest.raises(RecipeError, match="lower 'count' or raise"), Context(scene, recipe) as context:
        choose(story.living, context.schedule, "aoi", story.defective).unit(0)
