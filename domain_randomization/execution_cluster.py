"""Which Ray: one that runs somewhere and is joined, or a small one started here. And whether its nodes see the target."""
from __future__ import annotations

import logging
import os
import secrets
import threading
from pathlib import Path

from generators.dataset.shards import storage_error
from scenes.errors import BackendUnavailable, StorageError


def connect(address: str | None) -> bool:
    """Join the cluster at ``address``. True where it was us who joined, so that it is us who leave."""
    import ray

    if ray.is_initialized():
        return False
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        raise BackendUnavailable(f"ray at {address}: cannot be reached ({str(error).splitlines()[0][:200]}); "
                                        "check the address, or leave it out to run here") from None
    return True


class LocalRay(threading.Thread):
    """A small Ray on this machine, started beside the main thread and stopped by ``close()``.

    Ray asks the kernel to kill its processes when the *thread* that started them ends, so this one lives as long as they do.
    """

    def __init__(self, workers: int) -> None:
        super().__init__(name="ray", daemon=True)
        self.workers = workers
        self.error: Exception | None = None
        self._running, self._leave = threading.Event(), threading.Event()

    def run(self) -> None:
        import ray

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("MALLOC_ARENA_MAX", "1")         # workers inherit it: they compute in one thread, not in the first
        try:
            ray.init(address="local", num_cpus=self.workers, include_dashboard=False, object_store_memory=80 << 20,
                     logging_level=logging.ERROR, log_to_driver=False)
        except Exception as error:             # raised again in the main thread
            self.error = error
            self._running.set()
            return
        self._running.set()
        self._leave.wait()
        ray.shutdown()

    @property
    def up(self) -> bool:
        """Whether it is running. Raises BackendUnavailable where it could not start."""
        if self.error is not None:
            reason = (str(self.error).splitlines() or [type(self.error).__name__])[0][:200]
            raise BackendUnavailable(f"ray: cannot start ({reason}); use --workers 0")
        return self._running.is_set()

    def close(self) -> None:
        """Stop it and wait until it is gone."""
        self._leave.set()
        self.join()


def probe_nodes(out: Path) -> None:
    """Let every node read from and write to the target before anything is made.

    Raises:
        StorageError: names the node that cannot, and says to mount the folder there.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    token = secrets.token_hex(8)
    asked, log = out.resolve() / "log" / f"probe-{token}", out.resolve() / "log"
    try:
        asked.write_text(token, encoding="utf-8")
    except OSError as error:
        raise storage_error(asked, error) from error

    def probe(path: str, token: str, node: str) -> str:
        try:
            with open(path, encoding="utf-8") as file:
                if file.read() != token:
                    return "another folder is mounted there"
            with open(f"{path}-{node}", "x", encoding="utf-8") as file:
                file.write(token)
        except OSError as error:
            return f"{type(error).__name__}: {error.strerror}"
        return ""

    task = ray.remote(num_cpus=0, max_retries=0)(probe)
    nodes = [(n["NodeID"], n["NodeManagerHostname"]) for n in ray.nodes() if n["Alive"]]
    calls = [task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(str(asked), token, node)
             for node, _ in nodes]
    try:
        for (node, host), call in zip(nodes, calls, strict=True):
            try:
                problem = ray.get(call, timeout=60)
            except ray.exceptions.RayError as error:
                problem = str(error).splitlines()[0][:200]
            mine = log / f"{asked.name}-{node}"
            if not problem and (not mine.is_file() or mine.read_text(encoding="utf-8") != token):
                problem = "what it wrote is not seen here"
            if problem:
                raise StorageError(f"{out}: node {host} cannot use it ({problem}); mount the same folder on every node")
    finally:
        for path in log.glob(f"{asked.name}*"):
            path.unlink(missing_ok=True)


__all__ = ["LocalRay", "connect", "probe_nodes"]
