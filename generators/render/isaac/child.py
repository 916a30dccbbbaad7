"""The worker's process: started, asked, and ended. Knows the protocol's lines, nothing of what they mean."""
from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from generators.render.isaac import failures
from generators.render.isaac.messages import ANSWERS, LINE_MOST, Answer, Request
from generators.render.isaac.settings import Setup
from scenes.errors import BackendError, BackendUnavailable, StorageError

MAIN = Path(__file__).parent / "worker" / "main.py"
GRACE = 10.0                                   # [s] that a process gets to end by itself, or to end its status after its pipe
LOG_TAIL = 1 << 16                             # [bytes] of the log that are looked at
_OURS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")

A = TypeVar("A", bound=Answer)


class Worker:
    """One worker process in a group of its own, two pipes, a log and a shared folder.

    Args:
        setup: Interpreter and limits.
        main: The worker's first file; another one in tests.

    Raises:
        BackendUnavailable: the interpreter cannot be started.
        StorageError: the shared folder cannot be made or written.
    """

    def __init__(self, setup: Setup, main: Path = MAIN) -> None:
        self.setup, self.started = setup, False
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="linetwin-isaac-", ignore_cleanup_errors=True)      # mode 0700
        except OSError as error:
            raise StorageError(f"renderer 'isaac': no shared folder ({error.strerror}); free space in the temporary folder, "
                               "or set TMPDIR") from None
        self.shared = Path(self._folder.name)
        self.log = self.shared / "worker.log"
        self._count, self._unread = 0, b""
        down_read, self._down = os.pipe()
        self._up, up_write = os.pipe()
        os.set_blocking(self._down, False)
        os.set_blocking(self._up, False)
        environment = {k: v for k, v in os.environ.items() if k not in _OURS}
        environment |= {"PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1", "PYTHONUNBUFFERED": "1"}
        if setup.paths:
            environment["PYTHONPATH"] = os.pathsep.join(setup.paths)
        command = [str(setup.python), str(main), "--requests", str(down_read), "--answers", str(up_write),
                   "--shared", str(self.shared)]
        try:
            self._process = self._start(command, environment, (down_read, up_write))
        except BaseException:
            os.close(self._down)
            os.close(self._up)
            self._folder.cleanup()
            raise
        finally:
            os.close(down_read)
            os.close(up_write)
        self._open = True

    def _start(self, command: list[str], environment: dict[str, str], pipes: tuple[int, int]) -> subprocess.Popen[bytes]:
        try:
            log = self.log.open("wb")
        except OSError as error:
            raise StorageError(f"{self.shared}: cannot be written ({error.strerror}); free space there, or set TMPDIR") from None
        with log:
            try:
                return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, pass_fds=pipes,
                                        cwd=self.shared, env=environment, start_new_session=True)
            except OSError as error:
                raise BackendUnavailable(f"renderer 'isaac': {self.setup.python} cannot be started ({error.strerror}); "
                                         "name Isaac Sim's interpreter in LINETWIN_ISAAC_PYTHON") from None

    def ask(self, kind: type[Any], **fields: Any) -> Any:
        """Send one request and wait for its answer.

        Args:
            kind: Message class of the request; ``id`` is filled in.

        Raises:
            BackendUnavailable: the worker could not start Isaac Sim.
            BackendError: it refused, ended, did not answer in time, or answered what is not an answer. It is then ended.
        """
        if not self._open:
            raise BackendError("renderer 'isaac': its worker has ended; open a new one")
        self._count += 1
        request: Request = kind(id=self._count, **fields)
        limit = self.setup.limit if self.started else self.setup.start_limit
        doing = "start" if not self.started else request.do
        until = time.monotonic() + limit
        line = request.model_dump_json().encode() + b"\n"
        if len(line) > LINE_MOST:
            raise self._failed(BackendError(f"renderer 'isaac': {doing}: a request of {len(line)} bytes, at most {LINE_MOST}; "
                                            f"{failures.KINDS['internal']}"))
        try:
            self._send(line, until)
            answer = self._read(ANSWERS[request.do], request.id, until, doing)
        except TimeoutError:
            error = failures.of_time(limit, self._said(), doing, started=self.started,
                                     hint="LINETWIN_ISAAC_LIMIT_S" if self.started else "LINETWIN_ISAAC_START_S")
        except EOFError:
            error = failures.of_exit(self._status(), self._said(), doing, started=self.started)
        except BackendError as found:
            error = found
        except BaseException:                  # an interrupted host leaves no worker behind
            self.end()
            raise
        else:
            if answer.ok:
                return answer
            assert answer.error is not None
            error = failures.of_answer(answer.error.kind, answer.error.message, doing)
        raise self._failed(error)

    def end(self, grace: float = 0.0) -> None:
        """End the worker and everything that it started. ``grace``: seconds [s] that it may take to end by itself."""
        if not self._open:
            return
        self._open = False
        os.close(self._down)
        if grace > 0:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self._kill()
        os.close(self._up)
        self._folder.cleanup()

    def _failed(self, error: BackendError) -> BackendError:
        """End the worker, keep its log where a person can read it, and say where that is."""
        said, kept = self._said(1 << 24), ""
        if said.strip():
            with suppress(OSError):
                descriptor, kept = tempfile.mkstemp(prefix="linetwin-isaac-", suffix=".log")
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                    file.write(said)
        self.end()
        return type(error)(f"{error}; log: {kept}") if kept else error

    def _send(self, line: bytes, until: float) -> None:
        while line:
            _ready(self._down, select.POLLOUT, until)
            try:
                line = line[os.write(self._down, line):]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                return                         # it may have said why before it ended: the answer is read next

    def _read(self, kind: type[A], number: int, until: float, doing: str) -> A:
        while b"\n" not in self._unread:
            if len(self._unread) > LINE_MOST:
                raise BackendError(f"renderer 'isaac': {doing}: an answer of more than {LINE_MOST} bytes; "
                                   f"{failures.KINDS['protocol']}")
            _ready(self._up, select.POLLIN, until)
            try:
                piece = os.read(self._up, 1 << 16)
            except BlockingIOError:
                continue
            if not piece:
                raise EOFError
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            answer = kind.model_validate_json(line)
            if answer.id != number or (answer.error is None) != answer.ok:
                raise ValueError(f"answer {answer.id} to request {number}")
        except (ValidationError, ValueError):
            said = line[:120].decode("utf-8", "replace")
            raise BackendError(f"renderer 'isaac': {doing}: not an answer: {json.dumps(said)}; "
                               f"{failures.KINDS['protocol']}") from None
        return answer

    def _status(self) -> int:
        try:
            return self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._kill()
            return -signal.SIGKILL

    def _kill(self) -> None:
        """Kill the group. A process that hangs in a driver takes no signal: it is not waited for beyond ``GRACE``."""
        with suppress(ProcessLookupError, PermissionError):    # the group outlives its leader where that has children
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)

    def _said(self, most: int = LOG_TAIL) -> str:
        try:
            with self.log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(file.tell() - most, 0))
                return file.read(most).decode("utf-8", "replace")
        except OSError:
            return ""


def _ready(descriptor: int, event: int, until: float) -> None:
    """Wait until a pipe can be used or has ended. Raises TimeoutError."""
    poll = select.poll()
    poll.register(descriptor, event)
    left = until - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError


__all__ = ["MAIN", "Worker"]
