"""``linetwin import`` and the new exports on the command line: exit codes, one line per error, JSON."""
from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from linetwin.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "_out_sdg"
    folder.mkdir()
    for k in range(2):
        pixels = np.random.default_rng(k).integers(0, 255, (16, 24, 4)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"rgb_{k:04d}.png")
        ids = np.zeros((16, 24), np.uint8)
        ids[2:9, 3 + k:11] = 5
        Image.fromarray(ids).save(folder / f"semantic_segmentation_{k:04d}.png")
        labels = {"0": {"class": "BACKGROUND"}, "5": {"class": "scratch"}}
        (folder / f"semantic_segmentation_labels_{k:04d}.json").write_text(json.dumps(labels))
    return folder


def test_import_inspect_export(folder, tmp_path, capsys):
    """Somebody's folder becomes a dataset that passes the gate and goes on to a trainer."""
    code, out, _ = run(capsys, "import", folder, "-o", tmp_path / "ds", "--defect", "scratch", "--license", "MIT", "--json")
    found = json.loads(out)
    assert code == 0 and found["samples"] == 2 and found["categories"] == {"scratch": 2} and found["writer"] == "BasicWriter"
    code, out, _ = run(capsys, "inspect", tmp_path / "ds")
    assert code == 0 and "not applicable: imported pictures carry no physical causes" in out
    code, out, _ = run(capsys, "export", tmp_path / "ds", "--format", "kitti", "-o", tmp_path / "kitti")
    assert code == 0 and "2 images, 2 instances" in out
    lines = sorted(p.read_text() for p in (tmp_path / "kitti/train/labels").iterdir())
    assert [line.split()[:8] for line in lines] == [
        ["scratch", "0.00", "0", "0.00", f"{3 + k}.00", "2.00", "11.00", "9.00"] for k in range(2)]


def test_import_says_what_is_missing(folder, tmp_path, capsys):
    code, out, _ = run(capsys, "import", folder, "-o", tmp_path / "ds")
    assert code == 0 and "not in the folder: depth" in out and "next: linetwin inspect" in out


def test_bad_input_is_one_line_and_exit_code_2(folder, tmp_path, capsys):
    (folder / "semantic_segmentation_labels_0001.json").write_text('{"0": {"class": "BACKGROUND"}}')
    for arguments, text in ((("import", folder, "-o", tmp_path / "ds"), "frame 0001 shows id 5, which its mapping does not hold"),
                            (("import", tmp_path / "none", "-o", tmp_path / "ds"), "not a folder"),
                            (("import", folder, "-o", tmp_path / "ds", "--merged", "both"), "merged labels 'both'")):
        code, out, err = run(capsys, *arguments)
        assert code == 2 and not out and text in err and err.count("\n") == 1 and err.startswith("linetwin: ")
    assert not (tmp_path / "ds").exists()
