"""Frames out of Isaac Sim, in the order that Replicator asks for. Import it when Isaac Sim is up."""
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import carb.settings
import omni.replicator.core as rep

from .stage import View

SETTINGS: dict[str, Any] = {
    "/omni/replicator/captureOnPlay": False,
    "/omni/replicator/asyncRendering": False,              # frame and labels must be of one moment
    "/rtx/post/dlss/execMode": 2,                          # quality: below 600 × 600 the default smears edges
    "/exts/isaacsim.core.throttling/enable_async": False,  # else frames are skipped while the timeline stands
}


def capture(views: Sequence[View], writers: Sequence[Any], frames: int, *, seed: int = 0, subframes: int = 8,
            change: Callable[[int], None] | None = None) -> None:
    """Render ``frames`` moments with every view and hand them to every writer.

    Args:
        views: Cameras.
        writers: Initialised; attached and detached here.
        frames: How many.
        seed: Of Replicator's own randomisers. Pixels stay stochastic.
        subframes: What RTX accumulates per frame; 4 to 8 in real time, 16 to 32 when path tracing.
        change: Called with the frame's number before each one, to change the stage.

    Raises:
        RuntimeError: TwinWriter could not write a frame; the first reason.
    """
    settings = carb.settings.get_settings()
    for name, value in SETTINGS.items():
        settings.set(name, value)
    rep.orchestrator.set_capture_on_play(False)
    rep.set_global_seed(seed)
    products: list[Any] = []
    last: list[Callable[[], object]] = []      # what must be done at the end, whatever happens, in reverse
    try:
        for view in views:
            products.append(rep.create.render_product(view.path, (view.width, view.height), name=view.name))
            last.append(products[-1].destroy)
        for writer in writers:
            writer.attach(products)
            last.append(writer.detach)
        last.append(rep.orchestrator.wait_until_complete)      # nothing may be detached before
        for frame in range(frames):
            if change is not None:
                change(frame)
            rep.orchestrator.step(rt_subframes=subframes, delta_time=0.0)
            _look(writers, f"frame {frame}")
    except BaseException:
        _all(reversed(last))                   # what these raise now would hide the reason
        raise
    error = _all(reversed(last))
    _look(writers, "after the last frame")     # a writer may have been at work until the end of the wait
    if error is not None:
        raise error


def _all(calls: Iterable[Callable[[], object]]) -> Exception | None:
    """Make every call, also after one has raised. Gives the first error."""
    first = None
    for call in calls:
        try:
            call()
        except Exception as error:
            first = first or error
    return first


def _look(writers: Sequence[Any], when: str) -> None:
    """Raises RuntimeError where a writer has kept a failure."""
    for writer in writers:
        failure = getattr(writer, "failure", None)
        if failure is not None:
            raise RuntimeError(f"{when}: {failure}") from failure


def check_frames(out: str | Path, views: Sequence[View], frames: int) -> None:
    """Every file that TwinWriter should have written is there; then say so in ``linetwin.json``. Raises RuntimeError."""
    out = Path(out)
    for view in views:
        for frame in range(frames):
            for annotator, kind in (("rgb", "png"), ("instance_segmentation", "png"), ("camera_params", "json")):
                path = out / view.name / annotator / f"{annotator}_{frame:04d}.{kind}"
                if not path.is_file():
                    raise RuntimeError(f"{path}: was not written; look into Isaac Sim's log for what the writer said")
    text = json.dumps({"writer": "TwinWriter 1", "frames": frames, "cameras": [v.name for v in views]}, indent=1)
    (out / "linetwin.json").write_text(text, encoding="utf-8")


__all__ = ["SETTINGS", "capture", "check_frames"]
