"""The schedule: exact counts, independent of ``count``, even splits, clear refusals."""
from __future__ import annotations

import dataclasses
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_randomization.planning import asked_counts, plan
from domain_randomization.quotas import Cell, Schedule, schedule
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context
from scenes.errors import RecipeError
from scenes.scene import Scene

SPLITS = (0.8, 0.1, 0.1)


def cells(counts):
    return tuple(Cell(f"d{k}", "any", float("-inf"), float("inf"), n, ("R1",)) for k, n in enumerate(counts))


@given(st.lists(st.integers(1, 9), max_size=6), st.fractions(Fraction(1, 20), 1), st.integers(0, 40))
def test_quotas_are_met_exactly_at_the_count_that_is_named_and_not_before(counts, fraction, more):
    s = Schedule(cells(counts), fraction, 0, SPLITS)
    got = Counter(slot.cell for i in range(s.count_needed + more) if (slot := s.slot(i)) is not None)
    assert [got[k] for k in range(len(counts))] == counts
    if s.count_needed:
        assert s.slot(s.count_needed - 1) is not None


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.fractions(Fraction(1, 20), 1))
def test_slots_go_round_so_that_every_prefix_is_balanced(counts, fraction):
    s = Schedule(cells(counts), fraction, 0, SPLITS)
    got: Counter[int] = Counter()
    for i in range(s.count_needed):
        slot = s.slot(i)
        if slot is not None:
            assert slot.ordinal == got[slot.cell]
            got[slot.cell] += 1
            unfinished = [got[k] for k, n in enumerate(counts) if got[k] < n]
            assert max(got.values()) - min(unfinished, default=max(got.values())) <= 1
        assert s.free_ordinal(i) == i - sum(got.values()) + (slot is not None)


@given(st.integers(0, 1 << 32), st.integers(20, 400))
def test_splits_come_out_at_their_fractions_within_a_few_samples(seed, count):
    """Independent draws of 400 would miss by √(400 · 0.8 · 0.2) = 8; a golden-ratio sequence misses by O(log n)."""
    s = Schedule((), Fraction(0), seed, SPLITS)
    got = Counter(s.split(i) for i in range(count))
    for name, share in zip(("train", "val", "test"), SPLITS, strict=True):
        assert abs(got[name] - share * count) <= 3.5


def test_all_splits_see_every_defect_once_there_are_enough():
    s = Schedule(cells([30, 30]), Fraction(1, 2), 3, SPLITS)
    counts = asked_counts(s, s.count_needed)
    assert all(counts[k][split] >= 2 for k in (0, 1) for split in ("train", "val", "test"))


@pytest.fixture
def line(toy):
    scene = Scene.read(toy / "toy.scene.yaml")

    def make(text: str) -> tuple[Scene, Recipe]:
        return scene, Recipe.parse("scene: toy.scene.yaml\n" + text)

    return make


@pytest.mark.parametrize(("text", "message"), [
    ("count: 9\nquotas: [{defect: bent, count: 1}]", "quotas.0.defect: 'bent' is not a defect of family 'fake'; known: shift"),
    ("count: 9\nquotas: [{defect: haunted, count: 1}]", "quotas.0.defect: no part of this product can show 'haunted'"),
    ("count: 9\nquotas: [{defect: shift, count: 5}]", "takes count ≥ 10; got 9"),
    ("count: 9\ndefective_fraction: 0\nquotas: [{defect: shift, count: 5}]", "defective_fraction: 0 leaves no sample"),
    ("count: 9\nquotas: [{defect: shift, count: 1, levels: [huge]}]", "levels: 'shift' has no level 'huge'; known: mild"),
    ("count: 9\nquotas: [{defect: shift, count: 1, severity: {min: 1, max: 2, unit: deg}}]", "'deg' is not one of m, mm, um"),
    ("count: 9\nquotas: [{defect: missing, count: 1, severity: {min: 1, max: 2, unit: um}}]", "'missing' has no continuous"),
    ("count: 9\nprocess: {drifts: {bais_um: 3}}", "process.drifts: 'bais_um' is not known"),
    ("count: 9\nstation: spi", "station: 'spi' is not in"),
])
def test_what_a_product_cannot_do_is_refused_before_the_first_pixel(line, text, message):
    with pytest.raises(RecipeError) as caught:
        plan(*line(text))
    assert message in str(caught.value)


def test_severities_are_converted_and_levels_spread_out(line):
    scene, recipe = line("count: 40\nquotas:\n - {defect: shift, count: 2, severity: {min: 80, max: 120, unit: um}}\n"
                         " - {defect: shift, count: 1, levels: [mild, gross]}\n - {defect: missing, count: 1, levels: all}\n")
    got = [(c.defect, c.level, c.low, c.high, c.count) for c in Context(scene, recipe, "fake").schedule.cells]
    assert got == [("shift", "own range", pytest.approx(80e-6), pytest.approx(120e-6), 2), ("shift", "mild", 50e-6, 100e-6, 1),
                   ("shift", "gross", 200e-6, 400e-6, 1), ("missing", "any", float("-inf"), float("inf"), 1)]


def test_quotas_each_takes_every_level_and_names_what_it_skips(line):
    scene, recipe = line("count: 16\nquotas_each: 2\n")
    made = plan(scene, recipe)
    assert [(r.defect, r.level, r.total) for r in made.rows] == [
        ("shift", "mild", 2), ("shift", "moderate", 2), ("shift", "gross", 2), ("missing", "any", 2), ("", "", 8)]
    assert made.skipped == ("haunted",)
    assert made.count_needed == 16 and made.shards == 1


def test_the_plan_counts_what_the_schedule_deals(line):
    scene, recipe = line("count: 100\nshard_size: 8\nquotas: [{defect: shift, count: 7, levels: all}]\n")
    made = plan(scene, recipe, workers=2)
    assert sum(r.total for r in made.rows) == 100 and [r.total for r in made.rows] == [7, 7, 7, 79]
    data = made.to_dict()
    assert data["shards"] == 13 and data["rows"][0]["low"] == 50e-6 and data["rows"][-1]["low"] is None
    assert "shift" in made.text() and "13 shards" in made.text()


def test_raising_count_changes_no_slot_and_no_split(line):
    scene, recipe = line("count: 30\nquotas: [{defect: shift, count: 4, levels: all}]\n")
    context = Context(scene, recipe, "fake")
    more = schedule(recipe.model_copy(update={"count": 90}), context.family, context.product)
    assert all(context.schedule.slot(i) == more.slot(i) and context.schedule.split(i) == more.split(i) for i in range(30))
    assert dataclasses.replace(more) == context.schedule
