"""Every name of ``omni.replicator.core`` and every setting that the worker uses, in one place.

``NAMES`` are written as in NVIDIA's documentation; none of them is known from memory alone (``RECALLED_NAMES``). Poses,
visibility, materials, lights and labels are plain pxr edits of the stage and need none of this.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMES = ("annotators.get", "create.render_product", "orchestrator.set_capture_on_play", "orchestrator.step",
         "orchestrator.wait_until_complete", "set_global_seed")
RECALLED_NAMES: tuple[str, ...] = ()

SETTINGS: dict[str, Any] = {
    "/omni/replicator/captureOnPlay": False,   # we step
    "/omni/replicator/asyncRendering": False,  # or data belong to another frame
    "/exts/isaacsim.core.throttling/enable_async": False,      # or frames are skipped while the timeline stands
    "/rtx/post/dlss/execMode": 2,              # quality: below some 600 × 600 pixels the default gives wrong edges
}
OFFLINE = {"/app/extensions/registryEnabled": False}           # a missing extension fails at once
ANNOTATORS = {"rgb": "rgb", "depth": "distance_to_image_plane", "normal": "normals", "id": "instance_id_segmentation_fast"}


def arguments(offline: bool, further: Mapping[str, Any]) -> list[str]:
    """The settings as command-line arguments: some are read while the application starts, and never again."""
    every = {**SETTINGS, **(OFFLINE if offline else {}), **further}
    return [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in every.items()]


def prepare(seed: int) -> None:
    """Capture on play off, and the seed. Raises ImportError."""
    import omni.replicator.core as rep

    rep.orchestrator.set_capture_on_play(False)
    rep.set_global_seed(seed)


class Product:
    """A render product with the annotators of some buffers."""

    def __init__(self, camera: str, width: int, height: int, buffers: frozenset[str]) -> None:
        import omni.replicator.core as rep

        self.camera, self.size, self.buffers = camera, (width, height), buffers
        self._product = rep.create.render_product(camera, (width, height))
        self._annotators: dict[str, Any] = {}
        for buffer in sorted(buffers):
            annotator = rep.annotators.get(ANNOTATORS[buffer])         # ids as numbers: colours are for those who ask
            annotator.attach([self._product])
            self._annotators[buffer] = annotator

    def step(self, subframes: int) -> None:
        """Draw one frame; time stands still."""
        import omni.replicator.core as rep

        rep.orchestrator.step(rt_subframes=subframes, delta_time=0.0)

    def data(self, buffer: str) -> Any:
        """What the last step gave: an array, or ``{"data": array, "info": {…}}``."""
        return self._annotators[buffer].get_data()

    def close(self) -> None:
        """Everything that is on its way arrives before the annotators are taken off."""
        import omni.replicator.core as rep

        rep.orchestrator.wait_until_complete()
        for annotator in self._annotators.values():
            annotator.detach()
        self._product.destroy()


__all__ = ["ANNOTATORS", "NAMES", "OFFLINE", "RECALLED_NAMES", "SETTINGS", "Product", "arguments", "prepare"]
