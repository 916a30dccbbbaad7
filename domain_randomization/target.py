"""The target folder of a run: one writer at a time, made from one recipe, with a log of what happened.

``meta/info.json`` is written before the first shard and says what the shards are made from. Whoever comes back with
something else is refused. ``log/`` holds what may differ between two runs that give the same dataset: telemetry, the lock.
"""
from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from domain_randomization.recipe import Recipe
from generators.dataset.meta import check_resume, missing, read_info, write_identity, write_summary
from generators.dataset.schema import DatasetInfo
from generators.dataset.shards import remove_pending, storage_error, write_file
from scenes.errors import DatasetError, ResumeError, StorageError
from scenes.scene import Scene

OURS = {"data", "meta", "log", "report", "README.md"}      # what a dataset folder holds at its top


def shard_range(shard: int, count: int, shard_size: int) -> range:
    """Indices of a shard: fixed by its number; only the last one ends at ``count``."""
    return range(shard * shard_size, min((shard + 1) * shard_size, count))


class Target:
    """An open target folder. Use as a context manager: it holds the lock.

    Raises:
        StorageError: it cannot be written, or another run is writing to it.
        DatasetError: the folder holds something that is not a dataset of ours.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._lock: IO[str] | None = None
        self._log: IO[str] | None = None
        try:
            strangers = sorted({p.name for p in out.iterdir()} - OURS) if out.is_dir() else []
            if strangers and not (out / "meta").is_dir():
                raise DatasetError(f"{out}: holds other files ({', '.join(strangers[:3])}); choose an empty or a new folder")
            (out / "log").mkdir(parents=True, exist_ok=True)
            self._lock = open(out / "log" / "lock", "a+", encoding="utf-8")  # noqa: SIM115
            self._take_lock()
            self._log = open(out / "log" / "run.jsonl", "a", encoding="utf-8", buffering=1)  # noqa: SIM115
            remove_pending(out)
        except OSError as error:
            self.close()
            raise storage_error(out, error) from error
        except BaseException:
            self.close()
            raise

    def _take_lock(self) -> None:
        assert self._lock is not None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            raise StorageError(f"{self.out}: another run is writing here (process {self._lock.read().strip() or 'unknown'}); "
                               "wait for it or choose another folder") from None
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()} on {os.uname().nodename}\n")
        self._lock.flush()

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for file in (self._log, self._lock):
            if file is not None:
                file.close()
        self._log = self._lock = None

    def log(self, event: str, **fields: Any) -> None:
        """Append one line of telemetry. Raises StorageError on a full disk: the run could not go on anyway."""
        assert self._log is not None
        try:
            self._log.write(json.dumps({"time": round(time.time(), 3), "event": event, **fields}) + "\n")
        except OSError as error:
            raise storage_error(self.out / "log", error) from error

    def begin(self, recipe: Recipe, scene: Scene, info: DatasetInfo) -> list[int]:
        """Say what this folder is made from, or check that it is made from just that; then list what is missing.

        Returns:
            Shards to make, in order. One that was the last of a smaller ``count`` is made again, longer.

        Raises:
            ResumeError: it is made from something else (prints both digests), or holds more samples than ``count``.
            DatasetError: a shard is damaged, or the folder is not ours. Nothing is changed.
        """
        if (self.out / "meta" / "info.json").exists():
            check_resume(self.out, info)
            self._check_rest(recipe)
        todo = missing(self.out, info, recipe.count)
        write_identity(self.out, info, {"recipe.yaml": recipe.resolved(), "scene.yaml": scene.text})
        return todo

    def _check_rest(self, recipe: Recipe) -> None:
        """What the digest leaves out and the bytes depend on all the same: stored outputs and our own version."""
        held, ours = read_info(self.out).linetwin, version("linetwin")
        if held != ours:
            raise ResumeError(f"{self.out}: was made with linetwin {held}, this is {ours}; "
                              "install that version, or choose a new folder")
        path = self.out / "meta" / "recipe.yaml"
        try:
            before = Recipe.parse(path.read_text(encoding="utf-8"), path)
        except FileNotFoundError:
            return                             # killed between info.json and recipe.yaml: no shard was begun
        except OSError as error:
            raise storage_error(path, error) from error
        was, now = before.outputs.model_dump(mode="json"), recipe.outputs.model_dump(mode="json")
        for key in was:
            if was[key] != now[key]:
                raise ResumeError(f"{self.out}: was made with outputs.{key} {was[key]}, this recipe has {now[key]}; "
                                  "use the same, or choose a new folder")

    def finish(self, info: DatasetInfo, count: int, asked: Sequence[Mapping[str, Any]], stage: Callable[[], str]) -> None:
        """Count what is there and complete ``meta/``; ``stage()`` gives the text of scene.usda where it is not there yet.

        Raises:
            DatasetError: a shard is missing or damaged.
        """
        if not (self.out / "meta" / "scene.usda").exists():
            write_file(self.out / "meta" / "scene.usda", stage())
        write_summary(self.out, info, count, asked=asked)


__all__ = ["Target", "shard_range"]
