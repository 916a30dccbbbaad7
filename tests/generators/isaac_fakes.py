"""Small workers that misbehave, each one a file for ``Worker(setup, main)``. None of them is Isaac Sim, or the stand-in."""
from __future__ import annotations

import sys
import time
from pathlib import Path

from generators.render.isaac.settings import Setup

HEAD = '''
import json, os, signal, sys, time
down, up = (int(sys.argv[sys.argv.index(name) + 1]) for name in ("--requests", "--answers"))
requests, answers = os.fdopen(down, "rb"), os.fdopen(up, "wb", buffering=0)
print("[Info] not Isaac Sim", flush=True)
def asked():
    return json.loads(requests.readline())
def answer(**fields):
    answers.write(json.dumps(fields).encode() + b"\\n")
def hello():
    answer(id=asked()["id"], ok=True, protocol=1, versions={"isaacsim": "0"})
'''


def worker(folder: Path, body: str) -> Path:
    """A first file with the pipes open as ``requests`` and ``answers``."""
    path = folder / "fake.py"
    path.write_text(HEAD + body)
    return path


def setup(**more: object) -> Setup:
    """Our own interpreter, short limits [s]."""
    return Setup(Path(sys.executable), **{"start_limit": 20.0, "limit": 20.0, **more})      # type: ignore[arg-type]


def gone(process: int) -> bool:
    """Whether a process ends within 10 s."""
    stat, until = Path(f"/proc/{process}/stat"), time.monotonic() + 10
    while stat.exists() and stat.read_text().split()[2] not in "ZX":
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
