"""What ``linetwin scene preview --of line``, ``--of station`` and ``--of cameras`` do. Values in, values out."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import SceneError, StorageError

_CAMERA = {"rgb": "colour", "thermal": "infrared", "xray": "X-ray"}
_PANEL = 760, 560                              # [px] of one camera's picture at most


def preview_line(path: Path, out: Path, *, station: str | None = None, width: int = 1500) -> dict[str, Any]:
    """The whole line on one sheet, or one station of it, with a healthy unit on every machine, ``width`` pixels wide.

    Raises:
        SceneError: no such station.
        BackendUnavailable: without embreex.
    """
    from domain_randomization.portrait import healthy_state
    from domain_randomization.sampling import Context
    from generators.render.line_sheet import line_sheet, station_sheet
    from scenes.equipment import board_of, line_layout
    from scenes.optics import Look
    from scenes.scene import Scene

    scene = Scene.read(path)
    known = [s.id for s in scene.stations]
    if station is not None and station not in known:
        raise SceneError(f"--station {station}: not in {path}; known: {', '.join(known)}")
    context = Context.for_scene(scene)
    unit = context.family.geometry(context.product, healthy_state(context), Look())
    box, thickness = context.family.box(context.product), unit.slab.thickness
    placed = line_layout(scene, board_of(box, thickness))
    if station is None:
        sheet = line_sheet(placed, f"{scene.name}  ·  {scene.line}", unit=unit, box=box, thickness=thickness, width=width)
    else:
        item = next(p for p in placed if p.station == station)
        sheet = station_sheet(placed, item, f"{scene.name}  ·  {item.path}", unit=unit, box=box, thickness=thickness,
                              width=min(width, 1000))
    _save(sheet, out)
    length = max(p.pose[0, 3] + p.machine.size[0] / 2 for p in placed if p.machine.ports)
    return {"picture": str(out), "width": sheet.shape[1], "height": sheet.shape[0], "stations": known,
            "machines": len(placed), "line_m": round(float(length), 3)}


def preview_cameras(path: Path, out: Path, *, renderer: str = "gl") -> dict[str, Any]:
    """A healthy unit as every camera of every station sees it, on one sheet. Raises SceneError where no station looks."""
    from domain_randomization.portrait import every_view
    from domain_randomization.sampling import Context
    from scenes.scene import Scene

    scene = Scene.read(path)
    modality: Any = "xray" if any(s.xray is not None for s in scene.stations) else "rgb"
    panels, names = [], []
    with Context.for_scene(scene, renderer=renderer, modality=modality) as context:
        for station, kind, spec, picture in every_view(context):
            model = f"{spec.model}, " if kind != "xray" else ""
            detail = f"{_CAMERA[kind]}, {model}pixels of {spec.pixel_size * 1e3:g} mm, {spec.distance * 1e3:g} mm away"
            panels.append(_panel(picture, f"{station.id}: {spec.name}", detail))
            names.append(f"{station.id}/{spec.name}")
    sheet = _grid(panels)
    _save(sheet, out)
    return {"picture": str(out), "width": sheet.shape[1], "height": sheet.shape[0], "cameras": names}


def _panel(picture: NDArray[np.uint8], name: str, detail: str) -> Any:
    """A picture with its camera's name below it, no larger than a place on the sheet."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(picture)
    share = min(_PANEL[0] / image.width, _PANEL[1] / image.height)
    image = image.resize((max(1, round(image.width * share)), max(1, round(image.height * share))), Image.Resampling.LANCZOS)
    panel = Image.new("RGB", (_PANEL[0], _PANEL[1] + 64), (233, 236, 239))
    panel.paste(image, ((_PANEL[0] - image.width) // 2, (_PANEL[1] - image.height) // 2))
    draw = ImageDraw.Draw(panel)
    draw.text((10, _PANEL[1] + 6), name, fill=(28, 34, 42), font=ImageFont.load_default(24))
    draw.text((10, _PANEL[1] + 36), detail, fill=(96, 104, 114), font=ImageFont.load_default(18))
    return panel


def _grid(panels: list[Any]) -> NDArray[np.uint8]:
    from PIL import Image

    columns = min(2 if len(panels) <= 4 else 3, len(panels))
    gap, (w, h) = 16, panels[0].size
    rows = -(-len(panels) // columns)
    sheet = Image.new("RGB", (gap + columns * (w + gap), gap + rows * (h + gap)), (233, 236, 239))
    for k, panel in enumerate(panels):
        sheet.paste(panel, (gap + k % columns * (w + gap), gap + k // columns * (h + gap)))
    return np.asarray(sheet)


def _save(picture: NDArray[np.uint8], out: Path) -> None:
    from PIL import Image

    try:
        Image.fromarray(picture).save(out)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError(f"{out}: cannot be written ({reason}); choose another --out, with a name that ends in .png") from None


__all__ = ["preview_cameras", "preview_line"]
