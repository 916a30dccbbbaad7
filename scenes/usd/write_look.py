"""Writing look.usda: a UsdPreviewSurface per material with its infrared and X-ray properties, and the board's artwork."""
from __future__ import annotations

from typing import Any

from scenes.materials import Material
from scenes.usd import author
from scenes.usd.contents import Artwork, Contents
from scenes.usd.names import ARTWORK, FILM, LOOKS, prim_names

COLOR_FILE, SURFACE_FILE = "textures/board_color.png", "textures/board_surface.png"


def look_paths(contents: Contents) -> dict[str, str]:
    """Material name → path of its prim; films and artwork have looks of their own, which no material can take the name of."""
    names = prim_names([FILM, ARTWORK, *(m.name for m in contents.materials)])
    return {name: f"{LOOKS}/{prim}" for name, prim in names.items()}


def write_looks(layer: Any, contents: Contents) -> None:
    """All materials of a stage, and the look of films. ``roughness`` of solder is the prim's own where it has one."""
    looks = author.at(layer, LOOKS, "Scope")
    paths = look_paths(contents)
    own = {p.material for _, unit in (("", contents.unit), *contents.states) for s in unit.solder if s.roughness >= 0
           for p in s.pieces}
    for record in contents.materials:
        _material(looks, paths[record.name], record, own_roughness=record.name in own)
    if any(unit.films for unit in (contents.unit, *(u for _, u in contents.states))):
        _film(looks)


def _material(looks: Any, path: str, record: Material, *, own_roughness: bool) -> None:
    from pxr import Gf, Vt

    spec = author.prim(looks, path.rsplit("/", 1)[1], "Material")
    surface = _surface(spec, path)
    author.attribute(surface, "inputs:diffuseColor", "color3f", Gf.Vec3f(*(float(c) for c in record.base_color)))
    author.attribute(surface, "inputs:metallic", "float", float(record.metallic))
    if record.opacity < 1:
        author.attribute(surface, "inputs:opacity", "float", float(record.opacity))
    roughness = author.attribute(surface, "inputs:roughness", "float", float(record.roughness))
    if own_roughness:
        author.connect(roughness, _reader(spec, path, "Roughness", "float", "roughness", float(record.roughness)))
    author.attribute(spec, "twin:material", "string", record.name)
    author.attribute(spec, "twin:source", "string", record.source)
    for name in ("conductivity", "density", "emissivity", "specific_heat"):
        author.attribute(spec, f"twin:thermal:{name}", "double", float(getattr(record, name)))
    author.attribute(spec, "twin:xray:elements", "string[]", Vt.StringArray([e for e, _ in record.composition]))
    author.attribute(spec, "twin:xray:mass_fractions", "double[]", Vt.DoubleArray([f for _, f in record.composition]))
    author.apply(spec, "PhysicsMaterialAPI")
    author.attribute(spec, "physics:density", "float", float(record.density))


def _surface(spec: Any, path: str) -> Any:
    """A UsdPreviewSurface under a material, connected to its output."""
    author.connect(author.attribute(spec, "outputs:surface", "token", None), f"{path}/Surface.outputs:surface")
    surface = author.prim(spec, "Surface", "Shader")
    author.attribute(surface, "info:id", "token", "UsdPreviewSurface")
    author.attribute(surface, "outputs:surface", "token", None)
    return surface


def _reader(spec: Any, path: str, name: str, kind: str, primvar: str, fallback: Any) -> str:
    """A node that reads a primvar; gives the path of its result."""
    node = author.prim(spec, name, "Shader")
    author.attribute(node, "info:id", "token", f"UsdPrimvarReader_{kind}")
    author.attribute(node, "inputs:varname", "string", primvar)
    if fallback is not None:
        author.attribute(node, "inputs:fallback", kind, fallback)
    author.attribute(node, "outputs:result", kind, None)
    return f"{path}/{name}.outputs:result"


def _film(looks: Any) -> None:
    from pxr import Gf

    path = f"{LOOKS}/{FILM}"
    spec = author.prim(looks, FILM, "Material")
    surface = _surface(spec, path)
    for name, kind, node, what, primvar, fallback in (
            ("diffuseColor", "color3f", "Color", "float3", "displayColor", Gf.Vec3f(0.5)),
            ("opacity", "float", "Opacity", "float", "displayOpacity", 1.0),
            ("roughness", "float", "Roughness", "float", "roughness", 0.25)):
        author.connect(author.attribute(surface, f"inputs:{name}", kind, None),
                       _reader(spec, path, node, what, primvar, fallback))


def write_artwork(layer: Any, artwork: Artwork) -> None:
    """The look of the board's top: two pictures over its ``st``. Authored where the product is, whose artwork it is."""
    from pxr import Gf, Sdf, Vt

    path = f"{LOOKS}/{ARTWORK}"
    spec = author.prim(author.at(layer, LOOKS, "Scope"), ARTWORK, "Material")
    author.attribute(spec, "twin:box", "double[]", Vt.DoubleArray(artwork.box))
    surface = _surface(spec, path)
    st = _reader(spec, path, "Place", "float2", "st", None)
    for name, file, space, used in (("Color", COLOR_FILE, "sRGB", (("rgb", "float3", "diffuseColor", "color3f"),)),
                                    ("Finish", SURFACE_FILE, "raw", (("g", "float", "roughness", "float"),
                                                                     ("b", "float", "metallic", "float")))):
        node = author.prim(spec, name, "Shader")
        author.attribute(node, "info:id", "token", "UsdUVTexture")
        author.attribute(node, "inputs:file", "asset", Sdf.AssetPath(f"./{file}"))
        author.attribute(node, "inputs:sourceColorSpace", "token", space)
        author.attribute(node, "inputs:fallback", "float4", Gf.Vec4f(0.02, 0.25, 0.1, 1.0))
        author.connect(author.attribute(node, "inputs:st", "float2", None), st)
        for wrap in ("wrapS", "wrapT"):
            author.attribute(node, f"inputs:{wrap}", "token", "clamp")
        for channel, kind, target, type_ in used:
            author.attribute(node, f"outputs:{channel}", kind, None)
            author.connect(author.attribute(surface, f"inputs:{target}", type_, None), f"{path}/{name}.outputs:{channel}")


def pictures(artwork: Artwork) -> dict[str, bytes]:
    """The texture files by name: colour, and roughness and metallic in the green and blue channel. Equal arrays, equal bytes."""
    import io

    import numpy as np
    from PIL import Image

    packed = np.full((*artwork.surface.shape[:2], 3), 255, np.uint8)
    packed[..., 1], packed[..., 2] = artwork.surface[..., 1], artwork.surface[..., 0]
    out = {}
    for name, picture in ((COLOR_FILE, artwork.color), (SURFACE_FILE, packed)):
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(picture)).save(file, "PNG", compress_level=1)
        out[name] = file.getvalue()
    return out


__all__ = ["COLOR_FILE", "SURFACE_FILE", "look_paths", "pictures", "write_artwork", "write_looks"]
