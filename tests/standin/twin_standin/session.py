"""What the process is doing: one application, one stage, products, and the order of calls that Replicator wants.

    set_capture_on_play(False) → set_global_seed → render_product → attach → step … step → wait_until_complete → detach → destroy
"""
from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twin_standin.api import StandInError

if TYPE_CHECKING:
    from twin_standin.products import RenderProduct


class Session:
    """The state that NVIDIA's program keeps globally. One per process."""

    def __init__(self) -> None:
        self.launch: dict[str, Any] | None = None
        self.closed = False
        self.stage: Any = None
        self.seed: int | None = None
        self.ticks = 0
        self.steps = 0
        self.flushed = True                    # wait_until_complete has come after the last step
        self.products: list[RenderProduct] = []
        self.settings: dict[str, Any] = {}

    def running(self, what: str) -> None:
        """Raises StandInError where there is no application (any more)."""
        if self.launch is None:
            raise StandInError(f"{what}: no SimulationApp; construct it first")
        if self.closed:
            raise StandInError(f"{what}: the application is closed")

    def live(self) -> list[RenderProduct]:
        return [p for p in self.products if not p.destroyed]

    def may_step(self) -> None:
        """Raises StandInError unless everything that comes before a step has come."""
        self.running("orchestrator.step")
        if self.settings["/omni/replicator/captureOnPlay"]:
            raise StandInError("orchestrator.step: capture on play is on; call orchestrator.set_capture_on_play(False) first")
        if self.settings["/omni/replicator/asyncRendering"]:
            raise StandInError("orchestrator.step: asyncRendering is on, frames and data would not belong together")
        if self.seed is None:
            raise StandInError("orchestrator.step: no seed; call set_global_seed first")
        if self.stage is None:
            raise StandInError("orchestrator.step: no stage is open")
        if not self.live():
            raise StandInError("orchestrator.step: there is no render product, or all are destroyed")
        if not any(p.annotators for p in self.live()):
            raise StandInError("orchestrator.step: no annotator is attached to any render product")

    def may_close(self) -> None:
        if self.live():
            raise StandInError(f"SimulationApp.close: render products {', '.join(p.path for p in self.live())} are not destroyed")


SESSION = Session()


def our_rooms() -> list[str]:
    """Modules of linetwin that are loaded in this process: none, in a worker for another interpreter."""
    return sorted({name.split(".")[0] for name in sys.modules} & ROOMS)


ROOMS = {"scenes", "generators", "domain_randomization", "training_bridge", "linetwin"}
