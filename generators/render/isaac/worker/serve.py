"""Requests in, answers out, until the pipe ends or the host says close."""
from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import Refused
from .files import inside

PROTOCOL = 1
LINE_MOST = 1 << 24                            # [bytes]
_FAILED = {"hello": "start", "open_stage": "stage", "delta": "edit", "capture": "capture"}     # what Isaac Sim itself raises
FOLDER = "linetwin-isaac-"                     # how the host's shared folders are called
GRACE = 20.0                                   # [s] that a request may still take after the host has gone


class Server:
    """What lives as long as the process: the application, the open stage, the shared folder."""

    def __init__(self) -> None:
        self.shared = Path()
        self.app: Any = None
        self.stage: Any = None
        self.captures: Any = None

    def hello(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["protocol"] != PROTOCOL:
            raise Refused("protocol", f"the worker speaks version {PROTOCOL}, the host version {request['protocol']}")
        from . import app

        self.shared = Path(request["shared"])
        self.app, versions = app.start(request["mode"], request["seed"], request["offline"], request["settings"])
        return {"protocol": PROTOCOL, "versions": versions}

    def open_stage(self, request: dict[str, Any]) -> dict[str, Any]:
        from . import stage

        if self.captures is not None:
            self.captures.close()
            self.captures = None
        self.stage, found = stage.opened(self._app(), inside(self.shared, request["stage"]))
        return found

    def delta(self, request: dict[str, Any]) -> dict[str, Any]:
        from . import edits

        arrays = {name: edits.loaded(inside(self.shared, file), name) for name, file in request["arrays"].items()}
        edits.apply(self._stage(), request["edits"], arrays, self.shared)
        return {"edits": len(request["edits"])}

    def capture(self, request: dict[str, Any]) -> dict[str, Any]:
        from . import capture

        if self.captures is None:
            self.captures = capture.Captures(self._app())
        return self.captures.take(self._stage(), request, self.shared)

    def close(self) -> None:
        if self.captures is not None:
            self.captures.close()
        if self.app is not None:
            self.app.close()                   # the process may end in here

    def _app(self) -> Any:
        if self.app is None:
            raise Refused("protocol", "the first request must be hello")
        return self.app

    def _stage(self) -> Any:
        if self.stage is None:
            raise Refused("protocol", "no stage is open; ask open_stage first")
        return self.stage


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="linetwin worker")
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--answers", type=int, required=True)
    parser.add_argument("--shared", type=Path, required=True)
    asked = parser.parse_args(arguments)
    del sys.argv[1:]                           # Isaac Sim reads them too
    for descriptor in (asked.requests, asked.answers):
        os.set_inheritable(descriptor, False)  # Isaac Sim starts helpers; they must not hold the pipes open
    os.umask(0o077)
    threading.Thread(target=_until_host_goes, args=(asked.requests, asked.shared), daemon=True).start()
    server, closing = Server(), False
    with suppress(BrokenPipeError), os.fdopen(asked.requests, "rb") as requests, os.fdopen(asked.answers, "wb") as answers:
        while True:
            line = requests.readline(LINE_MOST + 1)
            if not line:
                break
            number, last, answer = answered(server, line)
            answers.write(json.dumps({"id": number, **answer}, allow_nan=False).encode() + b"\n")
            answers.flush()
            closing = last or not answer["ok"]                 # after an error the host ends us, and cleans up
            if closing:
                break
    if not closing:
        _take_away(asked.shared)               # the host was killed: nobody else will
    try:
        server.close()
    except BaseException:                      # the answer is out; how Isaac Sim ends concerns nobody any more
        traceback.print_exc()
    return 0


def answered(server: Server, line: bytes) -> tuple[int, bool, dict[str, Any]]:
    """The number of a request, whether it was the last, and its answer. Never raises."""
    number, closing, do = 0, False, ""
    try:
        request = json.loads(line)
        number, do = int(request["id"]), str(request["do"])
        if do == "close":
            closing, result = True, {}
        elif do in ("hello", "open_stage", "delta", "capture"):
            result = getattr(server, do)(request)
        else:
            raise Refused("protocol", f"request {do!r} is unknown")
    except Refused as refused:
        return number, closing, _no(refused.kind, str(refused))
    except BaseException as error:             # SystemExit too: Isaac Sim raises it where it cannot start
        traceback.print_exc()
        sys.stderr.flush()
        return number, closing, _no(_FAILED.get(do, "internal"), f"{type(error).__name__}: {error}")
    return number, closing, {"ok": True, **result}


def _no(kind: str, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"kind": kind, "message": message[:4000]}}


def _until_host_goes(descriptor: int, shared: Path) -> None:
    """End the process some time after the host has closed its end, with all that it started and its folder: a hung renderer
    must not outlive who asked."""
    poll = select.poll()
    poll.register(descriptor, 0)               # hang-up is always reported
    poll.poll()
    time.sleep(GRACE)
    _take_away(shared)
    if os.getpgrp() == os.getsid(0):           # the group that the host has made for us, a shell before us included
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(70)


def _take_away(shared: Path) -> None:
    """Delete the shared folder, and no other."""
    if shared.is_absolute() and shared.name.startswith(FOLDER):
        shutil.rmtree(shared, ignore_errors=True)


__all__ = ["PROTOCOL", "Server", "answered", "main"]
