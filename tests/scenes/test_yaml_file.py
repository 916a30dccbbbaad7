"""YAML from anywhere: safe, bounded, and one line for what is wrong with it."""
from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from scenes.errors import SceneError
from scenes.scene import Scene
from scenes.yaml_file import explain, mapping, shown

HERE = Path("s.yaml")


def _mapping(text: str) -> object:
    return mapping(text, HERE, "a scene", SceneError, "write one")


def _bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("text", "message"), [
    ("x: 1\nname: 2026-02-30\n", r"s\.yaml:2: not valid YAML; a value that cannot be \(ValueError\)"),
    ("x: 1\nname: " + "7" * 5000, r"s\.yaml:2: not valid YAML; a value that cannot be \(ValueError\)"),
    ("x: !!int ''", r"s\.yaml:1: .*cannot be \(IndexError\)"),
    ("x: !!bool perhaps", r"s\.yaml:1: .*cannot be \(KeyError\)"),
    ("x: !!timestamp soon", r"s\.yaml:1: .*cannot be \(AttributeError\)"),
    ("x: " + "[" * 3000, "nested too deeply"),
    ("x: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
    ("a: &a {<<: *a}", "nested too deeply"),
    ("name: x\nline: y\nname: z\n", r"s\.yaml:3: .*'name' is there twice"),
    ("stations:\n  - {id: a, kind: aoi, id: b}\n", r"s\.yaml:2: .*'id' is there twice"),
    ("? [a]\n: 1\n", r"s\.yaml:1: .*unhashable key"),
    ("x: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
    ("- 1\n", "a scene is a mapping; write one"),
    ("x: \0", "not valid YAML"),
    ('x: 1\nboard: "a\\0b"', r"s\.yaml:2: .*a NUL in it"),
    ("x: [1", r"s\.yaml:1: not valid YAML"),
    ("b: {<<: [{c: 1}, {d: 2}]}", "'<<' takes one mapping"),
    ("\n".join(["a0: &a0 {" + ", ".join(f"k{k}: 1" for k in range(2000)) + "}",
                *(f"a{k}: &a{k} {{<<: *a{k - 1}, x{k}: 1}}" for k in range(1, 100))]), "'<<' brings in more than 100000 keys"),
])
def test_what_is_no_yaml_is_one_line(text: str, message: str) -> None:
    with pytest.raises(SceneError, match=message) as error:
        _mapping(text)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_what_is_yaml_is_what_the_safe_loader_reads(examples: Path) -> None:
    text = "a: &a {x: 1, y: [2.5, true, null]}\nb: {<<: *a, x: 2}\nc: 2026-02-03\n'1': s\n1: i\n"
    assert _mapping(text) == yaml.safe_load(text)
    assert _mapping(text)["b"] == {"x": 2, "y": [2.5, True, None]} and _mapping(text)["c"] == date(2026, 2, 3)     # type: ignore[index]
    for file in sorted(examples.rglob("*.yaml")):
        assert mapping(file.read_text(), file, "a file", SceneError, "") == yaml.safe_load(file.read_text()), file


def test_a_value_in_a_message_is_short_whatever_it_is() -> None:
    """Ten levels of aliases are 10¹⁰ strings: nobody writes them out to show 80 characters."""
    huge = yaml.safe_load(_bomb(10))["a9"]
    for value in (huge, "s" * 1_000_000, 16 ** 5000, [16 ** 5000], {"k": huge}, date(2026, 1, 2), None):
        assert len(shown(value)) <= 90 and "\n" not in shown(value)
    assert shown("a\nb") == r"'a\nb'" and shown(3) == "'3'" and "20001 bits" in shown(16 ** 5000)
    told = explain(HERE, {"loc": ("product", "bo\nard" * 100), "type": "path_type", "msg": "not a path", "input": huge}, [])
    assert len(told) < 300 and "\n" not in told


@pytest.mark.parametrize("key", ["line: *a9", "product: {board: *a9}", "stations: *a9", "edits: {parts: *a9}", "product: *a9"])
def test_a_scene_of_aliases_is_refused_in_one_line_each(key: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(_bomb(10) + "name: x\n" + key + "\n")
    with pytest.raises(SceneError) as error:
        Scene.read(tmp_path / "s.yaml")
    assert all(len(line) < 2000 for line in str(error.value).splitlines())
