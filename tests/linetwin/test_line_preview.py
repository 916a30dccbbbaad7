"""``linetwin scene preview --of line`` and ``--of cameras``."""
from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from linetwin.cli import app
from scenes.errors import SceneError

pytest.importorskip("embreex")


def test_cameras_of_all_stations_on_one_sheet(examples, tmp_path):
    from PIL import Image

    out = tmp_path / "cameras.png"
    scene = str(examples / "inspector.scene.yaml")
    result = CliRunner().invoke(app, ["scene", "preview", scene, "--of", "cameras", "-o", str(out), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["cameras"] == ["aoi/top", "infrared/infrared", "axi/axi"]
    with Image.open(out) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape[:2] == (told["height"], told["width"])
    half_w, half_h = told["width"] // 2, told["height"] // 2
    colour, heat, rays = pixels[:half_h - 90, :half_w], pixels[:half_h - 90, half_w:], pixels[half_h:-90, :half_w]
    greener = colour[..., 1].astype(int) - colour[..., 0]
    assert (greener > 40).mean() > 0.2                         # lacquer
    assert (heat[..., 0].astype(int) - heat[..., 2] > 80).mean() > 0.2     # a warm palette
    grey = rays.astype(int)
    assert (np.ptp(grey, axis=2) < 8).mean() > 0.95            # X-ray pictures are grey


def test_line_in_one_picture(examples, tmp_path):
    from linetwin.line_preview import preview_line

    told = preview_line(examples / "inspector.scene.yaml", tmp_path / "line.png", width=320)
    assert told["stations"] == ["printer", "placement", "reflow", "aoi", "infrared", "axi"]
    assert told["machines"] == 2 * 6 + 3 and 14 < told["line_m"] < 22
    assert (tmp_path / "line.png").stat().st_size > 20_000


def test_unknown_wishes_are_refused(examples, tmp_path):
    from linetwin.line_preview import preview_line

    scene = examples / "inspector.scene.yaml"
    with pytest.raises(SceneError, match=r"--station oven: .*known: printer, placement"):
        preview_line(scene, tmp_path / "x.png", station="oven")
    result = CliRunner().invoke(app, ["scene", "preview", str(scene), "--of", "everything"])
    assert isinstance(result.exception, SceneError) and "product, line, cameras" in str(result.exception)
