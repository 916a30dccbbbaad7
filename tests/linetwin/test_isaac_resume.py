"""A run whose worker dies: what was committed stays, and the same command goes on. Against the stand-in for Isaac Sim."""
from __future__ import annotations

import tempfile

import pytest

from generators.dataset import Dataset
from generators.inspect import inspect_dataset
from linetwin.cli import main


def ended(*arguments) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in arguments])
    return int(caught.value.code or 0)


def test_a_run_goes_on_after_its_worker_was_killed(tmp_path, examples, isaac_environment, monkeypatch, capsys):
    if not isaac_environment:
        pytest.skip("LINETWIN_ISAAC_PYTHON is set: this test is about the stand-in")
    for name, value in {**isaac_environment, "LINETWIN_ISAAC_SUBFRAMES": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "out"
    recipe.write_text(f"linetwin: 1\nscene: {examples / 'inspector.scene.yaml'}\nseed: 3\ncount: 4\nshard_size: 1\n"
                      "frames: {pixel_um: 60, view: tiles, width: 200, height: 160}\n")
    command = ("generate", recipe, "-o", out, "--renderer", "isaac", "--workers", 0)
    monkeypatch.setenv("LINETWIN_STANDIN_FAULTS", "die=5")           # the grey card takes two steps or three, each picture one
    assert ended(*command) == 3
    said = capsys.readouterr().err.strip()
    assert "renderer 'isaac': capture: the worker was killed by SIGKILL" in said and "; log: " in said and "\n" not in said
    before = {p.name: p.read_bytes() for p in sorted((out / "data").glob("*.parquet"))}
    assert 1 <= len(before) < 4

    monkeypatch.delenv("LINETWIN_STANDIN_FAULTS")
    assert ended(*command) == 0
    after = {p.name: p.read_bytes() for p in sorted((out / "data").glob("*.parquet"))}
    assert len(after) == 4 and {name: after[name] for name in before} == before
    with Dataset.read(out) as dataset:
        assert dataset.complete and "pixels are not repeatable" in dataset.info.renderer_build
        assert inspect_dataset(dataset).passed
