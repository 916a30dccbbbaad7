"""Renderer and Buffers: the contract that every renderer keeps."""
from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from scenes.geometry import Geometry
from scenes.optics import Camera, Lighting, Look

if TYPE_CHECKING:
    from generators.masks import Piece

ALL = frozenset({"rgb", "depth", "normal", "instance", "part"})


@dataclass(frozen=True, eq=False)
class Buffers:
    """What one camera sees of one geometry. Row 0 is the top of the image. A buffer that was not asked for is None."""
    rgb: NDArray[np.uint8] | None              # (H, W, 3) sRGB
    depth: NDArray[np.float32] | None          # (H, W) [m] along the optical axis, +inf where nothing is
    normal: NDArray[np.float32] | None         # (H, W, 3) unit, camera frame, 0 where nothing is
    instance: NDArray[np.uint32] | None        # (H, W) 0 is background
    part: NDArray[np.uint16] | None            # (H, W) scenes.geometry.PartKind


class Renderer(Protocol):
    """Draws Geometry. One per process; keeps uploaded meshes and artwork between calls, keyed by object identity."""

    name: str                                  # "gl", "pyrender", "isaac"
    build: str                                 # library and driver versions: part of what pixels are promised for

    def render(self, geometry: Geometry, camera: Camera, lighting: Lighting, look: Look, *,
               outputs: Collection[str] = ALL, noise_seed: int = 0) -> Buffers:
        """One picture with its labels. Equal arguments give equal bytes on one ``build``, but for colours where ``build`` says
        that pixels are not repeatable. Raises BackendError."""

    def silhouettes(self, geometry: Geometry, camera: Camera, ids: Sequence[int]) -> dict[int, Piece]:
        """Amodal masks: per id the pixels that it would cover with everything else taken away, as a piece of the picture.

        Ids that cover no pixel are left out.
        """

    def close(self) -> None: ...


__all__ = ["ALL", "Buffers", "Renderer"]
