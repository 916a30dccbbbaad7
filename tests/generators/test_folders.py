"""A folder that is there as a whole or not at all: where it may go, said before anything is written."""
from __future__ import annotations

import os

import pytest

from generators.dataset.folders import whole_folder
from scenes.errors import DatasetError


def fill(out) -> None:
    with whole_folder(out) as root:
        (root / "a.txt").write_text("a")


def test_a_new_folder_an_empty_one_and_a_link_to_one(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/target").mkdir()
    os.symlink("disk/target", tmp_path / "link")
    os.symlink("disk/none", tmp_path / "loose")
    for name in ("new/deep", "empty", "link", "loose"):
        fill(tmp_path / name)
        assert (tmp_path / name / "a.txt").read_text() == "a"
    assert (tmp_path / "link").is_symlink() and sorted(p.name for p in (tmp_path / "disk").iterdir()) == ["none", "target"]
    assert not [p for p in tmp_path.rglob("*.pending")]


def test_the_current_folder_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    """It could be replaced, but whoever stands in it would stand nowhere."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for out in (".", tmp_path / "here", "../here/."):
        with pytest.raises(DatasetError, match="current folder or a mount, which cannot be replaced; name a new folder in it"):
            fill(out)
    assert [p.name for p in tmp_path.iterdir()] == ["here"]
    fill("new")
    assert (tmp_path / "here/new/a.txt").exists()


def test_a_mount_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    (tmp_path / "volume").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) == str(tmp_path / "volume"))
    with pytest.raises(DatasetError, match="current folder or a mount"):
        fill(tmp_path / "volume")
    assert [p.name for p in tmp_path.iterdir()] == ["volume"]


def test_what_is_taken_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("x")
    os.symlink("full", tmp_path / "link")
    os.symlink("circle", tmp_path / "circle")
    before = sorted(tmp_path.rglob("*"))
    for name in ("file", "full", "link", "circle"):
        with pytest.raises(DatasetError, match=f"{name}: is not empty; choose a new folder"):
            fill(tmp_path / name)
    with pytest.raises(DatasetError, match="/: is not empty"):
        fill("/")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), whole_folder(tmp_path / "out") as root:
        (root / "half").write_text("x")
        raise KeyError("x")
    assert not list(tmp_path.iterdir())
