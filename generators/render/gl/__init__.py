"""The default renderer: OpenGL on EGL, by a GPU or by Mesa's software rasteriser, with the same code."""
from __future__ import annotations

from typing import Any

from generators.render.gl.renderer import GlRenderer


def open(**options: Any) -> GlRenderer:
    """Entry point of the plug-in ``gl``. Raises BackendUnavailable where there is no OpenGL through EGL."""
    return GlRenderer(**options)


__all__ = ["GlRenderer", "open"]
