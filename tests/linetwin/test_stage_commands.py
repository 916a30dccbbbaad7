"""``linetwin scene usd`` and ``linetwin scene check`` of what it wrote."""
from __future__ import annotations

import pytest

from linetwin.scene_commands import check_scene
from linetwin.stage_commands import write_usd
from scenes.errors import SceneError

pytest.importorskip("pxr")


def test_a_written_stage_is_checked_and_a_broken_one_is_told(examples, tmp_path, monkeypatch):
    # NVIDIA's validator takes most of a minute on a whole stage: tests/scenes/test_usd_check.py and tests/soak run it
    monkeypatch.setattr("scenes.usd.check.asset_validator", lambda: None)
    told = write_usd(examples / "inspector.clip.scene.yaml", tmp_path / "out", states="none", machines=False)
    root = tmp_path / "out" / "line.usda"
    assert told["stage"] == str(root) and told["states"] == ["healthy"] and told["cameras"] == 9
    found = check_scene(root)
    assert found["scene"] == "inspector" and found["usd_warnings"] == []
    assert found["usd_not_checked_by"]
    text = root.read_text()
    root.write_text(text.replace("metersPerUnit = 1", "metersPerUnit = 0.01"))
    with pytest.raises(SceneError, match=r"metersPerUnit is 0\.01"):
        check_scene(root)
