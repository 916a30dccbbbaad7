"""Reading materials and the board's artwork."""
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from scenes.errors import AssetError
from scenes.materials import Material
from scenes.usd.contents import Artwork
from scenes.usd.files import PICTURE_BYTES_MAX, inside
from scenes.usd.names import ARTWORK, FILM, LOOKS
from scenes.usd.read_mesh import Notes, twin
from scenes.usd.write_look import COLOR_FILE, SURFACE_FILE

_THERMAL = ("conductivity", "specific_heat", "density", "emissivity")
PIXELS_MAX = 1 << 28                           # of a picture


def read_materials(stage: Any, notes: Notes) -> tuple[Material, ...]:
    """Every look but those of films and artwork. One made by hand has no thermal properties (NaN); that is told."""
    from pxr import UsdShade

    scope = stage.GetPrimAtPath(LOOKS)
    out = []
    for prim in scope.GetChildren() if scope else ():
        if not prim.IsA(UsdShade.Material):
            notes.tell(prim, "not a material; left out")
        elif prim.GetName() not in (FILM, ARTWORK):
            out.append(_material(prim, notes))
    return tuple(out)


def _material(prim: Any, notes: Notes) -> Material:
    from pxr import UsdShade

    shader = UsdShade.Material(prim).ComputeSurfaceSource()[0]
    if not shader or shader.GetIdAttr().Get() != "UsdPreviewSurface":
        notes.tell(prim, "its surface is not a UsdPreviewSurface; taken as medium grey")
    color = _value(shader, "diffuseColor", (0.18, 0.18, 0.18), notes)
    metallic, roughness = (float(_value(shader, name, value, notes)) for name, value in (("metallic", 0.0), ("roughness", 0.5)))
    thermal = [twin(prim, f"thermal:{name}") for name in _THERMAL]
    elements, fractions = twin(prim, "xray:elements", ()), twin(prim, "xray:mass_fractions", ())
    if None in thermal or not len(elements) or len(elements) != len(fractions):
        notes.tell(prim, "twin:thermal:* or twin:xray:* are missing; infrared and X-ray pictures need them")
    conductivity, heat, density, emissivity = (math.nan if v is None else float(v) for v in thermal)
    return Material(str(twin(prim, "material", prim.GetName())), (float(color[0]), float(color[1]), float(color[2])), metallic,
                    roughness, conductivity, heat, density, emissivity,
                    tuple((str(e), float(f)) for e, f in zip(elements, fractions, strict=False)), str(twin(prim, "source", "")),
                    float(_value(shader, "opacity", 1.0, notes)))


def _value(shader: Any, name: str, default: Any, notes: Notes) -> Any:
    """A shader's input: its own value, or of one that reads a primvar the fallback. Textures are not materials; that is told."""
    from pxr import UsdShade

    entry = shader.GetInput(name) if shader else None
    if not entry:
        return default
    source = entry.GetConnectedSources()[0]
    if source:
        node = UsdShade.Shader(source[0].source)
        if str(node.GetIdAttr().Get()).startswith("UsdPrimvarReader"):
            found = node.GetInput("fallback").Get() if node.GetInput("fallback") else None
            return default if found is None else found
        notes.tell(shader.GetPrim(), f"inputs:{name} is a picture; taken as {default}")
        return default
    found = entry.Get()
    return default if found is None else found


def read_artwork(stage: Any, root: Path, notes: Notes) -> Artwork | None:
    """The pictures of the board's top; None where the stage has none.

    Raises:
        AssetError: a picture is missing, unreadable, too large or outside the stage's folder.
    """
    prim = stage.GetPrimAtPath(f"{LOOKS}/{ARTWORK}")
    if not prim:
        return None
    color = _picture(stage, f"{LOOKS}/{ARTWORK}/Color", root, COLOR_FILE)
    packed = _picture(stage, f"{LOOKS}/{ARTWORK}/Finish", root, SURFACE_FILE)
    box = twin(prim, "box")
    if box is None or len(box) != 4:
        notes.tell(prim, "no twin:box; the artwork is left out")
        return None
    return Artwork(color, np.ascontiguousarray(packed[..., [2, 1]]), (float(box[0]), float(box[1]), float(box[2]), float(box[3])))


def _picture(stage: Any, path: str, root: Path, default: str) -> Any:
    from PIL import Image

    prim = stage.GetPrimAtPath(path)
    attribute = prim.GetAttribute("inputs:file") if prim else None
    value = attribute.Get() if attribute else None
    stack = attribute.GetPropertyStack() if attribute else ()
    layer = Path(stack[0].layer.realPath) if stack else root
    file = inside(root.parent, layer, value.path if value else default)
    try:
        if file.stat().st_size > PICTURE_BYTES_MAX:
            raise AssetError(f"{file}: larger than {PICTURE_BYTES_MAX >> 20} MiB; use a smaller picture")
        with Image.open(file, formats=("PNG", "JPEG")) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                raise AssetError(f"{file}: {picture.width} × {picture.height} pixels; use a smaller picture")
            return np.asarray(picture.convert("RGB"))
    except Image.DecompressionBombError:       # Pillow's own bound, which lies below ours
        raise AssetError(f"{file}: more than {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels; use a smaller picture") from None
    except (OSError, ValueError, SyntaxError) as error:
        if isinstance(error, AssetError):
            raise
        raise AssetError(f"{file}: not a readable PNG or JPEG ({error.__class__.__name__}); write the stage again") from None


__all__ = ["read_artwork", "read_materials"]
