"""omni.usd: the context with the one open stage."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from twin_standin.api import implements, strict_methods
from twin_standin.app import say
from twin_standin.session import SESSION


@strict_methods("omni.usd.UsdContext")
class UsdContext:
    __slots__ = ()

    def new_stage(self) -> bool:
        from pxr import Usd

        SESSION.running("omni.usd.get_context().new_stage")
        SESSION.stage = Usd.Stage.CreateInMemory()
        return True

    def open_stage(self, url: str) -> bool:
        """True where it opened; the real one says False and logs, it does not raise."""
        from pxr import Tf, Usd

        SESSION.running("omni.usd.get_context().open_stage")
        try:
            stage = Usd.Stage.Open(str(url)) if Path(str(url)).is_file() else None
        except Tf.ErrorException as error:
            say(f"[Error] [omni.usd] failed to open {url}: {error}")
            stage = None
        if stage is None:
            return False
        SESSION.stage = stage
        return True

    def get_stage(self) -> Any:
        SESSION.running("omni.usd.get_context().get_stage")
        return SESSION.stage


@implements("omni.usd.get_context")
def get_context() -> UsdContext:
    SESSION.running("omni.usd.get_context")
    return UsdContext()
