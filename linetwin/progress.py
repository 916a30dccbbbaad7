"""A progress bar with rate and time left, for terminals."""
from __future__ import annotations

from typing import Any


class Bar:
    """Call it with ``(done, total, note)``; it opens itself on the first call and closes when ``done`` reaches ``total``."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int, note: str = "") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

        if self._progress is None:
            self._progress = Progress(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                                      TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=Console(stderr=True),
                                      transient=False)
            self._progress.start()
            self._task = self._progress.add_task(note, total=total, rate="")
        task = self._progress.tasks[self._task]
        rate = f"{task.speed:.1f}/s" if task.speed else ""
        self._progress.update(self._task, completed=done, total=total, description=note, rate=rate)
        if done >= total:
            self.close()

    def close(self) -> None:
        """Close the bar; the next call opens a new one."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = self._task = None


__all__ = ["Bar"]
