"""Which differences between training data and a stream are refused, and which are told."""
from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import SCENE, TAXONOMY

from domain_randomization.recipe import Recipe
from generators.reports import Report
from scenes.errors import ModelError
from scenes.family import Defect, Taxonomy
from scenes.scene import Scene
from training_bridge import drift, model

CLASSES = tuple(d.name for d in TAXONOMY.defects)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    (tmp_path / "toy.kicad_pcb").write_text("(kicad_pcb)")
    (tmp_path / "scene.yaml").write_text(SCENE)
    return Scene.read(tmp_path / "scene.yaml")


@pytest.fixture(autouse=True)
def toy_family(monkeypatch):
    monkeypatch.setattr(drift, "find_family", lambda scene: SimpleNamespace(taxonomy=TAXONOMY))


def _card(scene: Scene, **change) -> model.ModelCard:
    card = model.ModelCard(
        widths=(4,), parameter_count=1, classes=CLASSES, pixel_size=50e-6, nominal_pixel=50e-6, made_with="0.1.0", renderer="gl",
        renderer_build="Mesa 1", scene_digest=scene.digest(), product_digest=scene.product_digest(), recipe_digest="r",
        recipe_seed=1, recipe="", dataset_digest="d", seed=0, epochs=1, threads=1, units={}, threshold=0.0,
        target_false_calls=0.1,
        windows=(model.WindowFile(name="R1", part="R1", center=(0, 0), side=1e-3, core=(0, 0, 1e-3, 1e-3)),),
        weights_sha256="w", references_sha256="f")
    return card.model_copy(update=change)


def _recipe(scene: Scene, **more) -> Recipe:
    return Recipe(scene=scene.path, count=10, **more)


def test_the_line_it_was_taught_on_is_taken(scene):
    drift.refuse(_card(scene), scene, _recipe(scene), "m")


def test_another_product_is_refused_whatever_is_allowed(scene):
    """One byte of the board file makes another product; both digests are named."""
    card = _card(scene)
    scene.product.board.write_text("(kicad_pcb )")
    for allowed in (False, True):
        with pytest.raises(ModelError) as error:
            drift.refuse(card, scene, _recipe(scene), "out/model", allowed)
        text = str(error.value)
        assert text.startswith("out/model: was taught on product ") and "adapt" in text and "\n" not in text
        assert card.product_digest[:12] in text and scene.product_digest()[:12] in text


def test_another_scene_of_the_same_product_needs_leave(scene):
    """A station's light is no part of the product: its digest stays, the scene's does not."""
    card = _card(scene)
    scene.path.write_text(SCENE.replace("[1, 1, 1]", "[0.5, 1, 1]"))
    changed = Scene.read(scene.path)
    assert changed.product_digest() == scene.product_digest() and changed.digest() != scene.digest()
    with pytest.raises(ModelError, match=f"scene {card.scene_digest[:12]}, .* is {changed.digest()[:12]}.*--allow-drift"):
        drift.refuse(card, changed, _recipe(changed), "m")
    drift.refuse(card, changed, _recipe(changed), "m", allowed=True)


def test_the_same_product_in_another_folder_is_the_same_product(scene, tmp_path):
    (tmp_path / "moved" / "boards").mkdir(parents=True)
    (tmp_path / "moved" / "boards" / "b.kicad_pcb").write_text("(kicad_pcb)")
    (tmp_path / "moved" / "s.yaml").write_text(SCENE.replace("toy.kicad_pcb", "boards/b.kicad_pcb"))
    assert Scene.read(tmp_path / "moved" / "s.yaml").product_digest() == scene.product_digest()


def test_an_edited_acceptance_profile_is_another_product(scene):
    profile = scene.path.with_name("mine.yaml")
    profile.write_text("a: 1\n")
    scene.path.write_text(SCENE.replace("toy.kicad_pcb", "toy.kicad_pcb, acceptance: mine.yaml"))
    before = Scene.read(scene.path).product_digest()
    profile.write_text("a: 2\n")
    assert Scene.read(scene.path).product_digest() != before


def test_a_model_of_unknown_product_is_refused_on_another_scene(scene):
    """Datasets made before the product's digest was kept do not say which product they show."""
    drift.refuse(_card(scene, product_digest=""), scene, _recipe(scene), "m")
    with pytest.raises(ModelError, match="product unknown"):
        drift.refuse(_card(scene, product_digest="", scene_digest="other"), scene, _recipe(scene), "m", allowed=True)


def test_defects_that_the_model_does_not_know_are_refused(scene, monkeypatch):
    more = Taxonomy((*TAXONOMY.defects, Defect("crack", "Crack")), TAXONOMY.parts)
    monkeypatch.setattr(drift, "find_family", lambda scene: SimpleNamespace(taxonomy=more))
    with pytest.raises(ModelError, match=r"knows 4 defects, .* can have crack as well"):
        drift.refuse(_card(scene), scene, _recipe(scene), "m", allowed=True)


@pytest.mark.parametrize(("pixel_um", "taken"), [(50, True), (50.4, True), (49.6, True), (51, False), (25, False)])
def test_another_pixel_size_needs_leave(scene, pixel_um, taken):
    recipe = _recipe(scene, frames={"pixel_um": pixel_um})
    if not taken:
        with pytest.raises(ModelError, match=f"at 50 µm per pixel, this stream has {pixel_um:g} µm; .*--allow-drift"):
            drift.refuse(_card(scene), scene, recipe, "m")
    drift.refuse(_card(scene), scene, recipe, "m", allowed=not taken)


def _met(card: model.ModelCard, **change) -> dict:
    return card.model_dump() | change


def test_no_difference_is_said_too(scene):
    card = _card(scene)
    check = drift.drift_check(drift.differences(card, _met(card)))
    assert (check.id, check.passed) == ("drift", True)


@pytest.mark.parametrize(("change", "words"), [
    ({"renderer": "pyrender"}, ("renderer 'gl' in training", "'pyrender' here")),
    ({"renderer_build": "Mesa 2"}, ("renderer build 'Mesa 1' in training", "'Mesa 2' here")),
    ({"made_with": "0.2.0"}, ("linetwin '0.1.0' in training", "'0.2.0' here")),
    ({"scene_digest": "0123456789abcdef"}, ("scene ", "'0123456789ab' here")),
    ({"nominal_pixel": 25e-6}, ("50 µm per pixel in training", "25 µm here")),
])
def test_what_differs_is_told_with_both_values(scene, change, words):
    """Undecided until it is allowed; then named all the same."""
    card = _card(scene)
    found = drift.differences(card, _met(card, **change))
    assert len(found) == 1
    undecided, allowed = drift.drift_check(found), drift.drift_check(found, allowed=True)
    assert (undecided.passed, allowed.passed) == (None, True)
    for check in (undecided, allowed):
        assert all(word in check.message for word in words), check.message
    assert "--allow-drift" in undecided.message
    report = Report("Virtual line test", (undecided,))
    assert report.verdict == "inconclusive" and found[0] in str(report) and "skipped" in report.to_junit()


@pytest.mark.parametrize("text", ['{"linetwin": 1}', '{"linetwin": 99, "kind": "other"}', '{"kind": "compact"}'])
def test_another_model_format_is_refused_by_number(tmp_path, text):
    (tmp_path / "model.json").write_text(text)
    held = {'{"linetwin": 1}': "1", '{"kind": "compact"}': "None"}.get(text, "99")
    with pytest.raises(ModelError, match=f"model format {held}, this linetwin reads {model.FORMAT}; train the model again"):
        model.read_card(tmp_path)


def test_a_trained_model_remembers_where_its_pictures_came_from(toy_folder):
    found = importlib.import_module("training_bridge.train").describe(
        importlib.import_module("generators.dataset").Dataset.read(toy_folder))
    assert found["product_digest"] == "product" and found["scene_digest"] == "scene"
    assert (found["renderer"], found["renderer_build"]) == ("gl", "toy 1")
    assert found["nominal_pixel"] == pytest.approx(50e-6) and found["made_with"]
