"""The ``gl`` renderer: one forward pass for colour and labels, further samples only where surfaces meet."""
from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from generators.masks import Piece
from generators.render.gl.context import open_context
from generators.render.gl.frame import MAX_LAMPS, Frame
from generators.render.gl.radiant import Radiant
from generators.render.gl.store import ID_LIMIT
from generators.render.protocol import ALL, Buffers
from scenes.errors import BackendError, InputError, LinetwinError
from scenes.geometry import Geometry
from scenes.heat import TemperatureField
from scenes.optics import Camera, Lighting, Look

T = TypeVar("T")


class GlRenderer:
    """Renderer by OpenGL. Not thread-safe; one per process. See ``generators.render.protocol.Renderer``."""

    name = "gl"

    def __init__(self, *, antialias: bool = True) -> None:
        self._context, self.build = open_context()
        self._antialias = antialias
        self._dead: str | None = None
        self._frame = Frame(self._context)
        self._radiant = Radiant(self._context, self._frame.drawing)

    def render(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, *,
               outputs: Collection[str] = ALL, noise_seed: int = 0) -> Buffers:
        """One picture with its labels. See the protocol."""
        unknown = set(outputs) - ALL
        if unknown:
            raise InputError(f"outputs: {', '.join(sorted(unknown))} unknown; known: {', '.join(sorted(ALL))}")
        if len(lighting.directional) > MAX_LAMPS:
            raise InputError(f"lighting.directional: {len(lighting.directional)} lamps; at most {MAX_LAMPS}")
        wanted = frozenset(outputs)
        return self._guarded(lambda: self._frame.render(geometry, camera, lighting, look, wanted, noise_seed, self._antialias))

    def reference(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, *,
                  factor: int = 8) -> NDArray[np.uint8]:
        """The same picture from ``factor`` × ``factor`` regular samples per pixel, without noise and blur; for comparison."""
        return self._guarded(lambda: self._frame.reference(geometry, camera, lighting, look, factor))

    def silhouettes(self, geometry: Geometry, camera: Camera, ids: Sequence[int]) -> dict[int, Piece]:
        """Amodal masks. See the protocol."""
        return self._guarded(lambda: self._frame.silhouettes(geometry, camera, ids))

    def paths(self, geometry: Geometry, camera: Camera, coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
        """How far each ray from the camera's eye runs in matter, float32 (H, W, 4) [m], as lengths of four basis materials.

        ``coefficients`` (M, 4): metres of each basis per metre of each of ``geometry.materials``.
        """
        return self._guarded(lambda: self._frame.paths(geometry, camera, coefficients))

    def radiance(self, geometry: Geometry, camera: Camera, field: TemperatureField, look: Look,
                 planck: tuple[float, float, NDArray[np.float32]], room: float, *, samples: int = 1,
                 ) -> tuple[NDArray[np.float32], Buffers]:
        """Heat radiation in a band, float32 (H, W) [W/(m² sr)], with instance and part buffers as ``render`` has them.

        ``samples``: per pixel and axis. One gives the labels from the same pass; more draw them in a pass of their own.
        See ``generators.render.gl.radiant`` for the other arguments.
        """
        def work() -> tuple[NDArray[np.float32], Buffers]:
            radiance, tag = self._radiant.radiance(geometry, camera, field, look, planck, room, samples)
            if samples > 1:
                return radiance, self._frame.render(geometry, camera, Lighting(), look, frozenset({"instance", "part"}), 0, False)
            return radiance, Buffers(None, None, None, tag & np.uint32(ID_LIMIT - 1), (tag >> np.uint32(28)).astype(np.uint16))
        return self._guarded(work)

    def close(self) -> None:
        """Release everything. The renderer is of no further use."""
        if self._dead is None:
            self._dead = "closed"
            self._radiant.release()
            self._frame.release()
            self._context.release()

    def _guarded(self, work: Callable[[], T]) -> T:
        if self._dead is not None:
            raise BackendError(f"renderer 'gl': {self._dead}; open a new one")
        try:
            with self._context:                # another library may have made its own context current
                return work()
        except InputError:
            raise
        except LinetwinError:
            self._dead = "stopped after an error"
            raise
        except Exception as error:
            self._dead = "stopped after an error"
            raise BackendError(f"renderer 'gl': {type(error).__name__}: {error}; open a new one") from error


__all__ = ["GlRenderer"]
