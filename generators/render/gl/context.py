"""The OpenGL context: off-screen, by EGL, on a GPU or on Mesa's software rasteriser."""
from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from typing import Any

import moderngl
import numpy as np

from scenes.errors import BackendUnavailable

INSTALL = "install OpenGL with EGL (Debian and Ubuntu: libegl1 libgl1 libgl1-mesa-dri; on a GPU the vendor's EGL driver)"


def open_context() -> tuple[moderngl.Context, str]:
    """A new context and the build string: what pixels are promised for.

    Raises:
        BackendUnavailable: no EGL, or a driver older than OpenGL 4.3.
    """
    try:
        context = moderngl.create_context(standalone=True, backend="egl", require=430)  # type: ignore[arg-type]
    except Exception as error:
        raise BackendUnavailable(f"renderer 'gl': no OpenGL 4.3 context through EGL ({error}); {INSTALL}") from error
    info = context.info
    build = f"moderngl {version('moderngl')}; {info['GL_VERSION']}; {info['GL_RENDERER']}"
    return context, build


class Programs:
    """Compiled shaders, by name and definitions; made on first use."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._made: dict[tuple[Any, ...], moderngl.Program] = {}
        self._source = {path.name.removesuffix(".glsl"): path.read_text() for path in files(__package__).iterdir()
                        if path.name.endswith(".glsl")}

    def get(self, vertex: str, fragment: str, *, lamps: int = 0, film: bool = False, soup: bool = False,
            listed: bool = False, mark_below: bool = False, within: bool = False, layers: int = 0) -> moderngl.Program:
        key = (vertex, fragment, lamps, film, soup, listed, mark_below, within, layers)
        if key not in self._made:
            head = "#version 430\n" + f"#define LAMPS {lamps}\n#define BIAS 0.00004\n#define LAYERS {layers}\n"
            asked = {"FILM": film, "SOUP": soup, "LISTED": listed, "MARK_BELOW": mark_below, "WITHIN": within}
            head += "".join(f"#define {name}\n" for name, is_set in asked.items() if is_set)
            shading = self._source["facet"] + (self._source["light"] if fragment in ("shade_frag", "board_frag") else "")
            heat = self._source["radiant"] if fragment.startswith("radiant_") else ""
            self._made[key] = self._context.program(vertex_shader=head + heat + self._source[vertex],
                                                    fragment_shader=head + heat + shading + self._source[fragment])
        return self._made[key]


def assign(program: moderngl.Program, **values: Any) -> None:
    """Set the uniforms that this variant of the program has; matrices go in row-major and are transposed here."""
    for name, value in values.items():
        if name not in program:
            continue
        uniform = program[name]
        if isinstance(value, np.ndarray):
            uniform.write(value)                                           # type: ignore[union-attr]
        else:
            uniform.value = value                                          # type: ignore[union-attr]


__all__ = ["INSTALL", "Programs", "assign", "open_context"]
