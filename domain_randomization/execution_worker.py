"""What lives in a Ray worker's process: a prepared product, an open renderer, one shard at a time.

Only plain values travel between driver and worker, and errors come back as values.
"""
from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from domain_randomization.execution import ShardReport, dataset_info, make_shard
from domain_randomization.recipe import Recipe
from domain_randomization.sampling import Context
from generators.dataset.schema import DatasetInfo
from generators.memory import peak
from scenes.errors import BackendError, LinetwinError
from scenes.scene import Scene


class Warm:
    """What lives in a worker's process: a prepared product and an open renderer."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job, self.made = job, 0
        self.context: Context | None = None
        self.info: DatasetInfo | None = None

    def prepare(self) -> dict[str, Any]:
        """Read scene and recipe, prepare the product, open the renderer."""
        os.environ["LP_NUM_THREADS"] = "1"     # software GL: one thread per worker; read when the context is made
        pa.set_memory_pool(pa.system_memory_pool())            # Arrow's own pool keeps some 80 MB that it has freed
        scene = Scene.read(self.job["scene"])
        recipe = Recipe.model_validate_json(self.job["recipe"])
        self.context = Context(scene, recipe, self.job["renderer"], told=Path(self.job["out"]))
        if self.context.digest != self.job["digest"]:
            raise BackendError(f"{self.job['scene']}: differs between node {os.uname().nodename} and the driver; "
                                      "use the same files and versions on every node")
        build = self.context.renderer.build
        self.info = dataset_info(self.context, build)
        return {"build": build, "pid": os.getpid(), "node": os.uname().nodename, "rss": peak()}

    def shard(self, shard: int) -> ShardReport:
        assert self.context is not None and self.info is not None
        self.made = 0

        def count() -> None:
            self.made += 1

        return make_shard(self.context, self.info, Path(self.job["out"]), shard, count)


def answer(call: Callable[[], Any]) -> dict[str, Any]:
    """The result of ``call()``, or its error as plain values."""
    try:
        return {"value": call()}
    except LinetwinError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except Exception as error:                 # goes to the run's log whole; the driver ends the run
        return {"error": "InvariantError", "message": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}


def worker_class() -> Any:
    """The actor. Defined inside a function so that Ray ships it by value: nothing of ours is imported before ``root`` is
    first on the path, so a folder named ``scenes`` in the driver's working directory shadows nothing."""
    import ray

    class Worker:
        def __init__(self, root: str, job: dict[str, Any]) -> None:
            import os
            import sys

            if os.path.isdir(root):
                sys.path.insert(0, root)
            from domain_randomization import execution_worker

            self.answer, self.warm = execution_worker.answer, execution_worker.Warm(job)

        def prepare(self) -> dict[str, Any]:
            return self.answer(self.warm.prepare)

        def shard(self, shard: int) -> dict[str, Any]:
            result = self.answer(lambda: self.warm.shard(shard))
            if "value" in result:
                result["value"] = vars(result["value"])
            return result

        @ray.method(concurrency_group="look")
        def made(self) -> int:
            return self.warm.made

    options: dict[str, Any] = {"num_cpus": 1, "max_restarts": 0, "max_task_retries": 0, "concurrency_groups": {"look": 1}}
    return ray.remote(**options)(Worker)


__all__ = ["Warm", "answer", "worker_class"]
