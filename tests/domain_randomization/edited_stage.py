"""A stage of the shipped board as somebody would get it, and the edits that somebody would make, with pxr alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

BENCH = "/World/Demo/SMT/Line_1/aoi/Bench"
PIXEL = 50e-6
SCENE = f"""
linetwin: 1
name: edited
line: Demo/SMT/Line 1
product: {{family: smt, board: boards/inspector.kicad_pcb}}
stations:
  - id: aoi
    camera: {{name: top, pixel_um: {PIXEL * 1e6:g}, view: board, sensor: {{}}, lens: {{}}}}
    lighting:
      dome: [0.3, 0.3, 0.3]
      directional: [{{elevation_deg: 60, azimuth_deg: 200, irradiance: [0.2, 0.2, 0.2], shadows: false}}]
  - {{id: heat, kind: infrared, infrared: {{pixel_um: 200, view: board, powered: {{}}}}}}
  - {{id: axi, kind: axi, xray: {{energy_kev: 60, pixel_um: 60, width: 256, height: 256}}}}
"""
# nothing varies: a picture says what the scene says
STILL = """
scene: line.usda
count: 1
defective_fraction: 0
frames: {margin_mm: 1}
lighting: {exposure_gain: 1, ring_gain: 1, dome_gain: 1, lamp_gain: 1, lamp_elevation_deg: 0, lamp_azimuth_deg: 0,
           temperature_k: 5700, balanced_k: 5700}
camera: {offset_um: 0, roll_deg: 0, scale: 1, blur_px: 0, noise: 0}
look: {mask_color: green, mask_hue_deg: 0, mask_lightness: 1, silk_lightness: 1, laminate_lightness: 1, finish: enig,
       finish_tint: 1, mask_roughness: 0.2, finish_roughness: 0.3, solder_roughness: 0.15, part_tint: 0, marking_contrast: 0,
       background: 0}
"""


def opened(folder: Path) -> Any:
    from pxr import Usd

    return Usd.Stage.Open(str(folder / "line.usda"))


def moved(prim: Any, x: float, y: float, turn_deg: float = 0.0, z: float = 0.0) -> None:
    """Move a prim in its parent's frame [m] and turn it about its own origin."""
    from pxr import Gf

    matrix = Gf.Matrix4d(prim.GetAttribute("xformOp:transform").Get())
    place = matrix.ExtractTranslation() + Gf.Vec3d(x, y, z)
    turned = matrix * Gf.Matrix4d().SetRotate(Gf.Rotation(Gf.Vec3d(0, 0, 1), turn_deg))
    prim.GetAttribute("xformOp:transform").Set(turned.SetTranslateOnly(place))


def material(stage: Any, name: str, color: tuple[float, float, float]) -> Any:
    """A new UsdPreviewSurface material."""
    from pxr import Gf, Sdf, UsdShade

    made = UsdShade.Material.Define(stage, f"/World/Looks/{name}")
    shader = UsdShade.Shader.Define(stage, f"/World/Looks/{name}/Surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*color))
    made.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return made


def recolour(stage: Any, name: str, color: tuple[float, float, float]) -> None:
    from pxr import Gf, UsdShade

    shader = UsdShade.Shader(stage.GetPrimAtPath(f"/World/Looks/{name}/Surface"))
    shader.GetInput("diffuseColor").Set(Gf.Vec3f(*color))


def replace_part(stage: Any, reference: str, like: str) -> None:
    """Let a part be another package prototype, at every station."""
    from pxr import Sdf

    name = stage.GetPrimAtPath(f"/World/Unit/Parts/{like}").GetAttribute("twin:package").Get()
    part = stage.GetPrimAtPath(f"/World/Unit/Parts/{reference}")
    part.GetReferences().SetReferences([Sdf.Reference(primPath=f"/World/Prototypes/{name}")])
