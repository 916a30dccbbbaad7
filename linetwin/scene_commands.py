"""What ``linetwin scene …`` does. Values in, values out; printing is the caller's."""
from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenes.errors import SceneError, StorageError

if TYPE_CHECKING:
    from scenes.edits import Edits

_SCENE = """\
# yaml-language-server: $schema=scene.schema.json
# A linetwin scene: what the line is. Check it with: linetwin scene check {name}
linetwin: 1
name: {title}
line: Site/Area/Line 1
product:
  family: smt
  board: {board}
{extra}  side: {side}
  acceptance: class2        # class2, class3 or the path of a profile of your own
  stencil_um: 120
stations:
  - id: AOI-1
    kind: aoi
    camera: {{name: top, model: telecentric, pixel_um: 20, width: 1024, height: 1024, view: tiles}}
    lighting:
      rings:                # three tiers of a ring light; a tier lights the slopes of half its zenith angle
        - {{zenith_deg: [8, 28], radiance: [1.0, 1.0, 1.0]}}
        - {{zenith_deg: [35, 52], radiance: [0.9, 0.9, 0.9]}}
        - {{zenith_deg: [60, 78], radiance: [0.8, 0.8, 0.8]}}
      dome: [0.35, 0.35, 0.35]
      directional:
        - {{elevation_deg: 55, azimuth_deg: 130, irradiance: [0.35, 0.35, 0.35]}}
      exposure: 1.0
  - id: IR-1                # used where a recipe asks for 'modalities: [rgb, thermal]'
    kind: infrared
    infrared: {{pixel_um: 150, view: board, powered: {{}}}}
  - id: AXI-1               # used where a recipe asks for 'modalities: [rgb, xray]'
    kind: axi
    xray: {{tube_kv: 130, pixel_um: 20, width: 1024, height: 1024}}
"""


def new_scene(board: Path, out: Path, *, side: str, centroid: Path | None, bom: Path | None, force: bool) -> dict[str, Any]:
    """Write a scene file for a board, and its JSON Schema beside it. Raises SceneError where the board cannot be read."""
    import json
    import os

    from scenes.board import read_board
    from scenes.scene import Scene

    if side not in ("front", "back"):
        raise SceneError(f"--side {side}: not a side; use front or back")
    if out.exists() and not force:
        raise SceneError(f"{out}: exists already; give another --out, or --force to overwrite it")
    imported = read_board(board, centroid=centroid, bom=bom)

    def relative(path: Path) -> str:
        return os.path.relpath(path.resolve(), out.resolve().parent)

    extra = "".join(f"  {key}: {json.dumps(relative(path))}\n" for key, path in (("centroid", centroid), ("bom", bom)) if path)
    text = _SCENE.format(name=out.name, title=json.dumps(imported.name), board=json.dumps(relative(board)), extra=extra,
                         side=side)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        (out.parent / "scene.schema.json").write_text(json.dumps(schema("scene"), indent=1, sort_keys=True) + "\n",
                                                      encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{out}: cannot be written ({error.strerror}); choose another --out") from None
    Scene.read(out)
    return {"scene": str(out), "board": imported.name,
            "components": sum(c.placed and c.side == side for c in imported.components),
            "next": f"linetwin scene preview {out}"}


def describe_board(board: Path, *, centroid: Path | None = None, bom: Path | None = None) -> dict[str, Any]:
    """Counts of everything on a board, per side, and which packages were recognised."""
    from scenes.board import read_board
    from scenes.parts import describe

    imported = read_board(board, centroid=centroid, bom=bom)
    sides: dict[str, Any] = {}
    for side in ("front", "back"):
        turned = imported.seen_from(side)
        parts = [c for c in turned.components if c.placed and c.side == "front"]
        packages = [describe(c) for c in parts]
        sides[side] = {
            "components": len(parts),
            "packages": dict(sorted(Counter(f"{p.kind} {p.name}" for p in packages).items())),
            "boxes": sorted(c.reference for c, p in zip(parts, packages, strict=True) if p.source == "box"),
        }
    width, height = imported.size
    return {
        "board": imported.name, "format": imported.format, "size_mm": [round(width * 1e3, 3), round(height * 1e3, 3)],
        "area_mm2": round(imported.outline.area * 1e6, 3), "thickness_mm": round(imported.thickness * 1e3, 4),
        "copper_layers": sum(a.kind == "copper" for a in imported.layers),
        "layers": {a.name: len(a.shapes) for a in imported.layers},
        "holes": len(imported.drills), "fiducials": len(imported.fiducials),
        "pads": sum(len(c.pads) for c in imported.components), "sides": sides, "notes": list(imported.notes),
    }


def summary_text(result: dict[str, Any]) -> str:
    """A board's description for people."""
    width, height = result["size_mm"]
    lines = [f"{result['board']}: {result['format']}, {width:g} × {height:g} mm, {result['thickness_mm']:g} mm thick, "
             f"{result['copper_layers']} copper layers, {result['holes']} holes, {result['fiducials']} fiducials"]
    for side, found in result["sides"].items():
        lines.append(f"{side}: {found['components']} placed components")
        lines += [f"  {count:4d}  {package}" for package, count in found["packages"].items()]
        if found["boxes"]:
            lines.append(f"  drawn as a labelled box, package unknown: {', '.join(found['boxes'])}")
    lines += [f"note: {note}" for note in result["notes"]]
    return "\n".join(lines)


def check_scene(path: Path, *, stage: bool = True) -> dict[str, Any]:
    """Read a scene and prepare its product; whatever is wrong raises with one line per finding.

    Args:
        path: A scene file, or the root layer of a stage.
        stage: Check the stage that the scene makes as well.
    """
    from domain_randomization.sampling import Context
    from linetwin.stage_commands import check_usd, check_usd_of
    from scenes.scene import STAGES, Scene

    found = check_usd(path) if path.suffix.lower() in STAGES else {}
    scene = Scene.read(path)
    station = scene.camera_station()
    context = Context.for_scene(scene)
    box = context.family.box(context.product)
    defects = context.family.taxonomy.defects
    cannot = [d.name for d in defects if not context.family.hosts(context.product, d.name)]
    if stage and not found:
        found = check_usd_of(context)
    return {"scene": scene.name, "line": scene.line, "stations": [s.path for s in scene.stations], "camera": station.path,
            "product_mm": [round((box[2] - box[0]) * 1e3, 2), round((box[3] - box[1]) * 1e3, 2)],
            "defects_possible": [d.name for d in defects if d.name not in cannot], "defects_without_host": cannot,
            "digest": scene.digest(), **edits_told(scene.edits), **found}


def edits_told(edits: Edits) -> dict[str, list[str]]:
    """What was changed in a stage, a line each: what is carried, what of it not exactly, and what cannot be. {} without edits."""
    told = {"edits": list(edits.lines()), "approximated": list(edits.approximated), "not_carried": list(edits.not_carried)}
    return {key: lines for key, lines in told.items() if lines}


def check_text(result: dict[str, Any]) -> str:
    """A checked scene for people: a line per value, and one per edit."""
    lines = []
    for key, value in result.items():
        if key in ("edits", "approximated", "not_carried"):
            lines += [f"{key}:", *(f"  {line}" for line in value)]
        else:
            lines.append(f"{key}: {value}")
    return "\n".join(lines)


def preview(path: Path, out: Path, *, pixel_um: float | None, renderer: str, modality: Any = "rgb") -> dict[str, Any]:
    """A healthy unit, the whole product in one picture. Raises SceneError for an unknown modality or one without a station."""
    from PIL import Image

    from domain_randomization.exposures import NEEDS
    from domain_randomization.sampling import Context
    from scenes.scene import Scene

    if modality not in NEEDS:
        raise SceneError(f"--modality {modality}: not one of {', '.join(NEEDS)}")
    scene = Scene.read(path)
    with Context.for_scene(scene, renderer=renderer, modality=modality) as context:
        rgb = context.healthy_picture(pixel_size=pixel_um * 1e-6 if pixel_um else None)
    try:
        Image.fromarray(rgb).save(out)
    except OSError as error:
        raise StorageError(f"{out}: cannot be written ({error.strerror or error}); choose another --out") from None
    return {"picture": str(out), "width": rgb.shape[1], "height": rgb.shape[0]}


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema of a scene, recipe or acceptance profile."""
    if kind == "scene":
        from scenes.scene import SceneFile
        return SceneFile.model_json_schema()
    if kind == "recipe":
        from domain_randomization import Recipe
        return Recipe.model_json_schema()
    if kind == "acceptance":
        from scenes.smt.acceptance import Profile
        return Profile.model_json_schema()
    raise SceneError(f"{kind}: no schema of that name; known: scene, recipe, acceptance")


__all__ = ["check_scene", "check_text", "describe_board", "edits_told", "new_scene", "preview", "schema", "summary_text"]
