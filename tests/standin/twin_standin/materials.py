"""UsdPreviewSurface with UsdUVTexture and primvar readers: inputs as constants or pictures, evaluated at texture coordinates."""
from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Primvars = Mapping[str, F32]                   # name → (K, n); NaN where the mesh has none of that name
Lookup = Callable[[F32, Primvars], F32]        # st (K, 2), primvars → (K, n)
_DEFAULTS: dict[str, tuple[float, ...]] = {"diffuseColor": (0.18, 0.18, 0.18), "emissiveColor": (0, 0, 0), "metallic": (0,),
                                           "roughness": (0.5,), "opacity": (1,)}
_NUMBERS = ("opacityThreshold", "ior")
_IGNORED = ("useSpecularWorkflow", "specularColor", "clearcoat", "clearcoatRoughness", "normal", "displacement", "occlusion",
            "opacityMode")


@dataclass(frozen=True, eq=False)
class Surface:
    """A material. Lookups give linear values."""
    color: Lookup
    emissive: Lookup
    metallic: Lookup
    roughness: Lookup
    opacity: Lookup
    ior: float                                 # of the dielectric
    threshold: float                           # above 0: opacity below it cuts out, above it is solid
    clear: bool                                # opacity may be below 1 somewhere
    reads: dict[str, int]                      # primvars beside st, and how many numbers each has


def _constant(value: tuple[float, ...]) -> Lookup:
    row = np.asarray(value, np.float32)
    return lambda st, primvars: np.broadcast_to(row, (len(st), len(row)))


def _primvar(name: str, fallback: tuple[float, ...], reads: dict[str, int]) -> Lookup:
    reads[name] = len(fallback)
    row = np.asarray(fallback, np.float32)
    return lambda st, primvars: np.where(np.isnan(primvars[name]), row, primvars[name])


def surface_of(material: Any) -> Surface:
    """The material's UsdPreviewSurface; without a material, the display colour on a rough dielectric."""
    reads: dict[str, int] = {}
    if not material:
        return Surface(_primvar("displayColor", (0.18, 0.18, 0.18), reads), _constant((0, 0, 0)), _constant((0,)),
                       _constant((0.5,)), _primvar("displayOpacity", (1.0,), reads), 1.5, 0.0, True, reads)
    shader = material.ComputeSurfaceSource()[0]
    if not shader or shader.GetIdAttr().Get() != "UsdPreviewSurface":
        raise NotImplementedError(f"stand-in: {material.GetPath()} is no UsdPreviewSurface; it would need MDL")
    unknown = {i.GetBaseName() for i in shader.GetInputs()} - {*_DEFAULTS, *_NUMBERS, *_IGNORED}
    if unknown:
        raise ValueError(f"{shader.GetPath()}: UsdPreviewSurface has no input {', '.join(sorted(unknown))}")
    found = {name: _input(shader, name, reads) for name in _DEFAULTS}
    threshold = float(_value(shader, "opacityThreshold", 0.0))
    opaque = shader.GetInput("opacity")
    clear = bool(opaque) and (opaque.HasConnectedSource() or (opaque.Get() is not None and opaque.Get() < 1))
    return Surface(found["diffuseColor"], found["emissiveColor"], found["metallic"], found["roughness"], found["opacity"],
                   float(_value(shader, "ior", 1.5)), threshold, clear, reads)


def _input(shader: Any, name: str, reads: dict[str, int]) -> Lookup:
    from pxr import UsdShade

    given = shader.GetInput(name)
    if not given:
        return _constant(_DEFAULTS[name])
    sources = UsdShade.Utils.GetValueProducingAttributes(given)
    if not sources:
        return _constant(_DEFAULTS[name])
    producer = UsdShade.Shader(sources[0].GetPrim())
    if not producer or producer.GetPath() == shader.GetPath() or not str(sources[0].GetName()).startswith("outputs:"):
        value = sources[0].Get()
        return _constant(tuple(value) if hasattr(value, "__len__") else (value,))
    kind, port = producer.GetIdAttr().Get(), str(sources[0].GetBaseName())
    if kind == "UsdUVTexture":
        return _texture(producer, port)
    if str(kind).startswith("UsdPrimvarReader_"):
        size = {"float": 1, "float3": 3, "vector": 3, "normal": 3, "point": 3}.get(str(kind).removeprefix("UsdPrimvarReader_"))
        if size is None:
            raise NotImplementedError(f"stand-in: {producer.GetPath()} is a {kind}")
        fallback = _value(producer, "fallback", (0.0,) * size)
        return _primvar(str(_value(producer, "varname")), tuple(fallback) if size > 1 else (float(np.ravel(fallback)[0]),), reads)
    raise NotImplementedError(f"stand-in: {producer.GetPath()} is a {kind}")


def _value(shader: Any, name: str, default: Any = None) -> Any:
    from pxr import UsdShade

    given = shader.GetInput(name)
    sources = UsdShade.Utils.GetValueProducingAttributes(given) if given else []
    value = sources[0].Get() if sources else None
    return default if value is None else value


def _texture(shader: Any, port: str) -> Lookup:
    from pxr import UsdShade

    file = _value(shader, "file")
    path = getattr(file, "resolvedPath", "") or ""
    channels = {"rgb": [0, 1, 2], "r": [0], "g": [1], "b": [2], "a": [3]}[port]
    scale, bias = (np.asarray(_value(shader, name, default), np.float32)[channels]
                   for name, default in (("scale", (1, 1, 1, 1)), ("bias", (0, 0, 0, 0))))
    if not path or not Path(path).is_file():   # RTX logs it and shows the fallback
        fallback = np.asarray(_value(shader, "fallback", (0, 0, 0, 1)), np.float32)[channels]
        return _constant(tuple(fallback.tolist()))
    st_input = shader.GetInput("st")
    sources = UsdShade.Utils.GetValueProducingAttributes(st_input) if st_input else []
    reader = UsdShade.Shader(sources[0].GetPrim()) if sources else None
    if not reader or reader.GetIdAttr().Get() != "UsdPrimvarReader_float2" or str(_value(reader, "varname")) != "st":
        raise NotImplementedError(f"stand-in: {shader.GetPath()} wants its st from a UsdPrimvarReader_float2 of 'st'")
    space = str(_value(shader, "sourceColorSpace", "auto"))
    stamp = Path(path).stat()
    texels, colored = _picture(path, stamp.st_mtime_ns, stamp.st_size)
    curve = _SRGB if space == "sRGB" or (space == "auto" and colored) else _RAW
    wraps = [str(_value(shader, f"wrap{axis}", "useMetadata")) for axis in "ST"]

    def look_up(st: F32, primvars: Primvars) -> F32:
        height, width = texels.shape[:2]
        u, v = (_wrapped(st[:, k], wraps[k]) for k in (0, 1))
        return _bilinear(texels, curve, u * width - 0.5, (1 - v) * height - 0.5, channels) * scale + bias
    return look_up


def _wrapped(at: F32, mode: str) -> F32:
    if mode == "repeat":
        return at - np.floor(at)
    if mode == "mirror":
        return 1 - np.abs(1 - (at - 2 * np.floor(at / 2)))
    return np.clip(at, 0, 1)                   # clamp, black and what the file does not say


def _bilinear(texels: NDArray[np.uint8], curve: F32, x: F32, y: F32, channels: list[int]) -> F32:
    """Between the middles of texels, mixed in linear light."""
    height, width = texels.shape[:2]
    x0, y0 = np.floor(x), np.floor(y)
    out = np.zeros((len(x), len(channels)), np.float32)
    for i, wx in ((0, 1 - (x - x0)), (1, x - x0)):
        for j, wy in ((0, 1 - (y - y0)), (1, y - y0)):
            column, row = np.clip(x0 + i, 0, width - 1).astype(np.int64), np.clip(y0 + j, 0, height - 1).astype(np.int64)
            found = texels[row, column]
            out += (wx * wy)[:, None] * np.column_stack([(_RAW if c == 3 else curve)[found[:, c]] for c in channels])
    return out


_RAW = np.linspace(0, 1, 256, dtype=np.float32)
_SRGB = np.where(_RAW <= 0.04045, _RAW / 12.92, ((_RAW + 0.055) / 1.055) ** 2.4).astype(np.float32)


@functools.lru_cache(maxsize=16)
def _picture(path: str, changed: int, size: int) -> tuple[NDArray[np.uint8], bool]:
    """RGBA (H, W, 4) of an 8-bit picture, and whether "auto" takes it for colours, that is for sRGB."""
    from PIL import Image

    with Image.open(path) as file:
        return np.asarray(file.convert("RGBA")), file.mode in ("RGB", "RGBA", "P")
