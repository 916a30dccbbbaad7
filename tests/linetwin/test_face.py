"""The face: what `import linetwin` costs and how the command line ends."""
from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from linetwin.cli import main

HEAVY = ("numpy", "torch", "ray", "pxr", "moderngl", "pyarrow", "shapely", "typer", "pydantic")


def leave(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return int(caught.value.code or 0)


def test_import_is_light():
    """`import linetwin` loads none of the libraries that cost time."""
    code = f"import sys, linetwin; print([n for n in {HEAVY!r} if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_every_public_name_resolves():
    import linetwin as lt

    for name in lt.__all__:
        assert getattr(lt, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'Manager'"):
        _ = lt.Manager


def test_a_shadowing_package_is_named(tmp_path):
    """A user's own folder `scenes/` with an __init__ beside the script hides ours: the error says which folder."""
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "__init__.py").write_text("")
    run = subprocess.run([sys.executable, "-c", "import linetwin; linetwin.Scene"], cwd=tmp_path, capture_output=True, text=True,
                         env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert run.returncode != 0
    assert "shadows linetwin's own package 'scenes'" in run.stderr


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (("generate", "--nope"), 2, "No such option: --nope"),
    (("scene", "new"), 2, "Missing argument"),
    (("scene", "check", "nowhere.yaml"), 2, "nowhere.yaml: cannot be read"),
    (("generate", "nowhere.yaml", "-o", "x"), 2, "nowhere.yaml"),
    (("scene", "import", "nowhere.kicad_pcb"), 2, "nowhere.kicad_pcb"),
    (("inspect", "nowhere"), 2, "nowhere"),
    (("scene", "schema", "nothing"), 2, "known: scene, recipe, acceptance"),
])
def test_bad_input_is_one_line_and_exit_code_2(arguments, code, said, capsys):
    assert leave(*arguments) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1


def test_help_lists_the_stable_commands(capsys):
    assert leave("--help") == 0
    shown = capsys.readouterr().out
    for name in ("demo", "scene", "generate", "inspect", "export", "train", "validate", "bench"):
        assert name in shown


@pytest.mark.parametrize("kind", ["scene", "recipe", "acceptance"])
def test_schemas_are_json_schemas(kind, capsys):
    assert leave("scene", "schema", kind) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"
