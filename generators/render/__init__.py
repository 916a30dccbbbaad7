"""Renderers: from Geometry to Buffers. ``open_renderer("gl")`` is the default; others are found as plug-ins."""
from __future__ import annotations

from importlib.metadata import entry_points

from generators.render.protocol import ALL, Buffers, Renderer
from scenes.errors import BackendUnavailable

GROUP = "linetwin.renderers"


def open_renderer(name: str = "gl") -> Renderer:
    """Start a renderer by its plug-in name (entry points of the group ``linetwin.renderers``). One per process.

    Raises:
        BackendUnavailable: no renderer of that name is installed, or it cannot start here.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        raise BackendUnavailable(f"renderer {name!r}: not installed; known: {', '.join(sorted(found)) or 'none'}")
    try:
        start = found[name].load()
    except ImportError as error:
        raise BackendUnavailable(f"renderer {name!r}: {error}; install the package that it needs") from error
    renderer: Renderer = start()
    return renderer


__all__ = ["ALL", "Buffers", "Renderer", "open_renderer"]
