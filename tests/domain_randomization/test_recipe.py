"""The recipe file: what is refused and how, what is resolved, what a digest covers."""
from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from domain_randomization.recipe import Recipe, recipe_schema
from scenes.errors import AssetError, RecipeError
from scenes.scene import Scene

SMALL = "scene: a.yaml\ncount: 10\n"


@pytest.mark.parametrize(("text", "message"), [
    ("scene: a\ncuont: 3\n", "r.yaml: cuont: unknown key; did you mean 'count'?"),
    ("scene: a\ncount: 3\nquotas: [{defect: x, cuont: 3}]", "r.yaml: quotas.0.cuont: unknown key; did you mean 'count'?"),
    ("scene: a\ncount: 3\ncamera: {rol_deg: 1}", "r.yaml: camera.rol_deg: unknown key; did you mean 'roll_deg'?"),
    ("scene: a\n", "r.yaml: count: missing; add it"),
    ("scene: a\ncount: 3\ncamera: {roll_deg: {uniform: [0, 400]}}",
     "r.yaml: camera.roll_deg: values from 0 to 400 can be drawn; allowed is -180 to 180"),
    ("scene: a\ncount: 3\nlook: {mask_color: pink}", "r.yaml: look.mask_color: 'pink' is not known; known: green"),
    ("scene: a\ncount: 3\nsplits: {train: 0.5}", "r.yaml: splits: train + val + test is 0.7; it must be 1"),
    ("scene: a\ncount: 3\nquotas: [{defect: x, count: 1, severity: {min: 1, max: 2, unit: inch}}]",
     "r.yaml: quotas.0.severity: unit 'inch' is not known; known: m, mm"),
    ("scene: a\ncount: 3\noutputs: {labels: [depth]}", "r.yaml: outputs: labels: 'instance' must be among them"),
    ("a: [", "r.yaml:1: not valid YAML"),
    ("- a", "r.yaml: a recipe is a mapping"),
    ("!!python/object/apply:os.system ['true']", "r.yaml:1: not valid YAML"),
])
def test_a_bad_recipe_is_refused_in_one_line_that_says_where(text, message):
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(text, Path("r.yaml"))
    assert any(line.startswith(message) for line in str(caught.value).splitlines())


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"none\.yaml: cannot be read"):
        Recipe.read(tmp_path / "none.yaml")
    (tmp_path / "big.yaml").write_text("#" * (5 << 20))
    with pytest.raises(RecipeError, match="larger than 4 MiB"):
        Recipe.read(tmp_path / "big.yaml")


def test_resolved_spells_out_every_default_and_reads_back_as_itself():
    recipe = Recipe.parse(SMALL)
    text = recipe.resolved()
    data = yaml.safe_load(text)
    assert set(data) == set(Recipe.model_fields) - {"execution"}
    ends = {"low": pytest.approx(-0.6), "high": pytest.approx(0.6)}
    assert data["camera"]["roll_deg"] == {"normal": {"mean": 0.0, "std": 0.2, **ends}}
    assert Recipe.parse(text).resolved() == text


def test_the_schema_accepts_what_the_recipe_accepts_and_names_its_keys(examples):
    schema = recipe_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in sorted(examples.glob("*.yaml")):
        data = yaml.safe_load(path.read_text())
        if "count" in data:
            jsonschema.validate(data, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"scene": "a", "count": 1, "cuont": 2}, schema)


def test_the_digest_covers_content_and_nothing_else(toy):
    scene = Scene.read(toy / "toy.scene.yaml")
    text = (toy / "toy.yaml").read_text()
    digest = Recipe.parse(text).digest(scene)
    for same in (text.replace("count: 24", "count: 30"), text.replace("shard_size: 4", "shard_size: 5"),
                 text + "outputs: {golden: true}\n", text + "execution: {workers: 3}\n", text + "camera: {tilt_deg: 0.0}\n"):
        assert Recipe.parse(same).digest(scene) == digest
    for other in (text.replace("seed: 7", "seed: 8"), text + "camera: {tilt_deg: 0.5}\n", text.replace("count: 3}", "count: 4}")):
        assert Recipe.parse(other).digest(scene) != digest


def test_the_digest_follows_the_board_file_but_not_its_place(toy, tmp_path_factory):
    recipe = Recipe.read(toy / "toy.yaml")
    digest = recipe.digest(Scene.read(toy / "toy.scene.yaml"))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("plate.txt", "toy.scene.yaml"):
        (elsewhere / name).write_text((toy / name).read_text())
    assert recipe.digest(Scene.read(elsewhere / "toy.scene.yaml")) == digest
    (elsewhere / "plate.txt").write_text("25 12\n")
    assert recipe.digest(Scene.read(elsewhere / "toy.scene.yaml")) != digest
    (elsewhere / "plate.txt").unlink()
    with pytest.raises(AssetError, match=r"plate\.txt"):
        recipe.digest(Scene.read(elsewhere / "toy.scene.yaml"))
