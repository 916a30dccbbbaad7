"""omni.replicator.core: render products, annotators, and the orchestrator that steps."""
from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from twin_standin import annotate
from twin_standin.api import StandInError, implements, strict_methods
from twin_standin.app import say
from twin_standin.faults import fault
from twin_standin.frame import Frame, draw
from twin_standin.scene import read_world
from twin_standin.session import SESSION

R = "omni.replicator.core"


@strict_methods(f"{R}.create.RenderProduct.hydra_texture")
class HydraTexture:
    """What draws a render product."""
    __slots__ = ("_enabled",)

    def __init__(self) -> None:
        self._enabled = True

    def set_updates_enabled(self, value: bool) -> None:
        self._enabled = bool(value)


@strict_methods(f"{R}.create.RenderProduct")
class RenderProduct:
    """A camera with a resolution."""
    __slots__ = ("annotators", "camera", "destroyed", "frame", "hydra_texture", "path", "resolution", "subframes")

    def __init__(self, camera: str, resolution: tuple[int, int], path: str) -> None:
        self.camera, self.resolution, self.path = camera, resolution, path
        self.hydra_texture = HydraTexture()
        self.annotators: list[Annotator] = []
        self.destroyed = False
        self.frame: Frame | None = None
        self.subframes = 0

    def destroy(self) -> None:
        if self.destroyed:
            raise StandInError(f"{self.path}: destroyed already")
        if self.annotators:
            raise StandInError(f"{self.path}: destroy before {', '.join(a.name for a in self.annotators)} is detached")
        self.destroyed = True
        self.frame = None


@implements(f"{R}.create.render_product")
def render_product(camera: Any, resolution: tuple[int, int], force_new: bool = False, name: Any = None,
                   render_vars: Any = None) -> RenderProduct:
    SESSION.running("create.render_product")
    path = camera if isinstance(camera, str) else str(camera.GetPath())
    _camera(path)
    size = tuple(resolution)
    if len(size) != 2 or not all(isinstance(n, int) and 0 < n <= 16384 for n in size):
        raise StandInError(f"create.render_product: resolution {resolution!r} is not (width, height)")
    taken = {p.path for p in SESSION.live()}
    stem, number = f"/Render/OmniverseKit/HydraTextures/{name or 'Replicator'}", 0
    made = stem
    while made in taken:
        number += 1
        made = f"{stem}_{number:02d}"
    product = RenderProduct(path, (size[0], size[1]), made)
    SESSION.products.append(product)
    return product


def _camera(path: str) -> Any:
    from pxr import UsdGeom

    prim = SESSION.stage.GetPrimAtPath(path) if SESSION.stage is not None else None
    if not prim or not prim.IsA(UsdGeom.Camera):
        raise StandInError(f"create.render_product: no camera at {path}")
    return UsdGeom.Camera(prim)


@strict_methods(f"{R}.annotators.Annotator")
class Annotator:
    """One kind of data from one render product."""
    __slots__ = ("name", "options", "product", "since")

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name, self.options = name, options
        self.product: RenderProduct | None = None
        self.since = 0

    def attach(self, render_products: Any) -> None:
        SESSION.running("Annotator.attach")
        given = [render_products] if isinstance(render_products, str | RenderProduct) else list(render_products)
        found = [p for p in SESSION.live() for g in given if p is g or p.path == g]
        if len(found) != 1 or len(given) != 1:
            raise StandInError(f"annotator {self.name}: attach wants one living render product, got {given!r}")
        if self.product is not None:
            raise StandInError(f"annotator {self.name}: attached to {self.product.path} already")
        self.product, self.since = found[0], SESSION.steps
        found[0].annotators.append(self)

    def detach(self, render_products: Any = None) -> None:
        if self.product is None:
            raise StandInError(f"annotator {self.name}: detach without attach")
        if not SESSION.flushed:
            raise StandInError(f"annotator {self.name}: detach before orchestrator.wait_until_complete")
        self.product.annotators.remove(self)
        self.product = None

    def get_data(self, device: Any = "cpu", do_array_copy: bool = True) -> Any:
        if self.product is None:
            raise StandInError(f"annotator {self.name}: get_data while it is not attached")
        if SESSION.steps <= self.since or self.product.frame is None:
            raise StandInError(f"annotator {self.name}: get_data before the first step")
        if device not in ("cpu", None):
            raise StandInError(f"annotator {self.name}: device {device!r}; there is no GPU here")
        if fault("no-data") is not None and SESSION.steps == 1:
            return np.empty(0, np.uint8)
        return annotate.data(self.name, self.product.frame, self.options)


def _get(name: str, init_params: dict[str, Any] | None = None, render_product_idxs: Any = None, device: str = "cpu",
         do_array_copy: bool = True) -> Annotator:
    SESSION.running("annotators.get")
    if device != "cpu":
        raise StandInError(f"annotator {name}: device {device!r}; there is no GPU here")
    return Annotator(name, annotate.checked(name, init_params or {}))


implements(f"{R}.annotators.get")(_get)
implements(f"{R}.AnnotatorRegistry.get_annotator")(_get)


@implements(f"{R}.orchestrator.set_capture_on_play")
def set_capture_on_play(value: bool) -> None:
    SESSION.running("orchestrator.set_capture_on_play")
    SESSION.settings["/omni/replicator/captureOnPlay"] = bool(value)


@implements(f"{R}.set_global_seed")
def set_global_seed(seed: int) -> None:
    SESSION.running("set_global_seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise StandInError(f"set_global_seed: {seed!r} is not a whole number from 0")
    SESSION.seed = seed


@implements(f"{R}.get_global_seed")
def get_global_seed() -> int | None:
    return SESSION.seed


def _step(rt_subframes: int = -1, pause_timeline: bool = True, delta_time: float | None = None,
          wait_for_render: bool = True) -> None:
    """Draw every product whose updates are on, from the stage as it is now."""
    SESSION.may_step()
    if not isinstance(rt_subframes, int) or rt_subframes == 0 or rt_subframes < -1:
        raise StandInError(f"orchestrator.step: rt_subframes {rt_subframes!r}; −1 or at least 1")
    if not wait_for_render:
        raise StandInError("orchestrator.step: wait_for_render is off, frames and data would not belong together")
    SESSION.steps += 1
    SESSION.flushed = False
    _misbehave()
    count = int(SESSION.settings["/omni/replicator/RTSubframes"] or 1) if rt_subframes == -1 else rt_subframes
    world = read_world(SESSION.stage)
    for product in _drawn(SESSION.live()):
        product.frame = draw(world, _camera(product.camera), product.resolution, SESSION.steps, product.subframes, count,
                             product.frame, any(a.name in ("rgb", "LdrColor") for a in product.annotators))
        product.subframes += count


def _drawn(products: Iterable[RenderProduct]) -> Iterable[RenderProduct]:
    return [p for p in products if p.hydra_texture._enabled and p.annotators]


def _misbehave() -> None:
    if fault("garbage") is not None:
        say("[Warning] [omni.hydra] \x1b[33mtexture streaming budget\x1b[0m {not json")
        os.write(1, b'{"id": 999, "ok": true}\n{"half": ')
        print("print from Python", flush=True)
    for name in ("hang", "die", "raise", "exit139-step"):
        if fault(name) == SESSION.steps:
            if name == "hang":
                time.sleep(1e6)
            if name == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if name == "exit139-step":
                os._exit(139)
            raise RuntimeError("[omni.replicator.core] device lost (asked for by LINETWIN_STANDIN_FAULTS)")


implements(f"{R}.orchestrator.step")(_step)


@implements(f"{R}.orchestrator.wait_until_complete")
def wait_until_complete() -> None:
    SESSION.running("orchestrator.wait_until_complete")
    SESSION.flushed = True
