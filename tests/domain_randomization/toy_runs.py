"""Start runs of the toy line in processes of their own, kill them, and look at what they leave."""
from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

DRIVER = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)       # a shell's background job inherits it ignored
os.environ["FAKE_DRIVER"] = str(os.getpid())
from domain_randomization.execution import run
from domain_randomization.recipe import Recipe
from scenes.errors import LinetwinError
from scenes.scene import Scene

if __name__ == "__main__":
    recipe = Recipe.read(sys.argv[1])
    try:
        run(Scene.read(recipe.scene), recipe, sys.argv[2], workers=int(sys.argv[3]), renderer="fake")
    except LinetwinError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
"""


def start(recipe: Path, out: Path, workers: int, *, delay: float = 0.0, driver_delay: float = 0.0, cwd: Path | None = None,
          driver: str = DRIVER, preexec: object = None) -> subprocess.Popen[str]:
    """A driver process. ``delay`` [s] slows a worker's pictures down, ``driver_delay`` those that it makes itself while Ray
    starts; so the workers get their share however slow the machine is."""
    env = {**os.environ, "FAKE_DELAY": str(delay), "FAKE_DRIVER_DELAY": str(driver_delay)}
    return subprocess.Popen([sys.executable, "-c", driver, str(recipe), str(out), str(workers)], env=env, cwd=cwd, text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=preexec)  # type: ignore[call-overload]


def finish(process: subprocess.Popen[str], seconds: float = 120) -> tuple[int, str]:
    _, err = process.communicate(timeout=seconds)
    return process.returncode, err


def events(out: Path, name: str | None = None) -> list[dict]:
    """The run's log; half a last line of a killed run is left out."""
    log = out / "log" / "run.jsonl"
    found = []
    for line in log.read_text().splitlines() if log.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [e for e in found if name is None or e["event"] == name]


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("what the test waits for did not happen")
        time.sleep(0.02)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of every file in data/ and meta/."""
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest()
            for folder in ("data", "meta") for p in sorted((out / folder).rglob("*")) if p.is_file()}


def shards(out: Path) -> set[str]:
    return {p.name for p in (out / "data").glob("shard-*.parquet")} if (out / "data").is_dir() else set()
