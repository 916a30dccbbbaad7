"""Every way in which Isaac Sim is known to end, and what the renderer makes of it: fake workers, real processes."""
from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from pathlib import Path

import isaac_fakes as fakes
import pytest

from generators.render import open_renderer
from generators.render.isaac import IsaacRenderer, Setup, failures
from generators.render.isaac.child import Worker
from generators.render.isaac.messages import Close, Delta, Hello, OpenStage, Show
from generators.render.isaac.settings import from_environment
from generators.render.isaac.worker import errors as inside
from scenes.errors import BackendError, BackendUnavailable


@pytest.fixture(autouse=True)
def _logs_stay_here(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


HELLO = {"shared": "/nowhere", "mode": "RealTimePathTracing"}


def refusal(tmp_path: Path, body: str, *, started: bool = False, **setup: object) -> BackendError:
    """What asking a fake worker raises: its first request, or its second."""
    worker = Worker(fakes.setup(**setup), fakes.worker(tmp_path, body))
    try:
        with pytest.raises(BackendError) as caught:
            if started:
                worker.ask(Hello, **HELLO)
                worker.started = True
                worker.ask(OpenStage, stage="a.usda")
            else:
                worker.ask(Hello, **HELLO)
    finally:
        worker.end()
    message = str(caught.value)
    assert message.startswith("renderer 'isaac': ") and "\n" not in message and "; " in message
    assert not worker.shared.exists()
    if "; log: " in message:
        assert "[Info] not Isaac Sim" in Path(message.rpartition("; log: ")[2]).read_text()
    with pytest.raises(BackendError, match="open a new one"):
        worker.ask(Hello, **HELLO)
    return caught.value


# ---------------------------------------------------------------------------------------------- before anything is started

@pytest.mark.parametrize(("variables", "says"), [
    ({}, r"LINETWIN_ISAAC_PYTHON is not set; .*python\.sh.*--renderer gl"),
    ({"LINETWIN_ISAAC_PYTHON": " "}, "is not set"),
    ({"LINETWIN_ISAAC_PYTHON": "/no/such/python.sh"}, "/no/such/python.sh is not a file"),
    ({"LINETWIN_ISAAC_PYTHON": "/tmp"}, "is not a file"),
    ({"LINETWIN_ISAAC_PYTHON": sys.executable, "LINETWIN_ISAAC_MODE": "Cycles"}, "'Cycles' unknown; known: RealTimePathTracing"),
    ({"LINETWIN_ISAAC_PYTHON": sys.executable, "LINETWIN_ISAAC_LIMIT_S": "soon"}, "'soon'; a number from 1 to 86400"),
    ({"LINETWIN_ISAAC_PYTHON": sys.executable, "LINETWIN_ISAAC_START_S": "nan"}, "'nan'"),
    ({"LINETWIN_ISAAC_PYTHON": sys.executable, "LINETWIN_ISAAC_SETTINGS": "rtx=1"}, "write /path/of/setting=value"),
])
def test_settings_that_make_no_sense(variables, says):
    with pytest.raises(BackendUnavailable, match=says):
        from_environment(variables)


def test_settings_as_they_are_read():
    found = from_environment({"LINETWIN_ISAAC_PYTHON": sys.executable, "LINETWIN_ISAAC_PATH": "/a:/b",
                              "LINETWIN_ISAAC_ONLINE": "1", "LINETWIN_ISAAC_MODE": "PathTracing",
                              "LINETWIN_ISAAC_SETTINGS": "/rtx/a=1, /rtx/b=false,/c=x,/d=0.5"})
    assert found == Setup(Path(sys.executable), ("/a", "/b"), "PathTracing", 32, 600.0, 180.0, False,
                          {"/rtx/a": 1, "/rtx/b": False, "/c": "x", "/d": 0.5})
    assert found.settings["/rtx/a"] is not True


def test_interpreter_that_is_none(tmp_path, monkeypatch):
    plain = tmp_path / "python.sh"
    plain.write_text("#!/no/such/shell\n")
    monkeypatch.setenv("LINETWIN_ISAAC_PYTHON", str(plain))
    with pytest.raises(BackendUnavailable, match=r"cannot be executed; make it executable"):
        open_renderer("isaac")
    plain.chmod(plain.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(BackendUnavailable, match=r"cannot be started \(No such file"):
        open_renderer("isaac")


def test_interpreter_without_isaac_sim(monkeypatch):
    monkeypatch.setenv("LINETWIN_ISAAC_PYTHON", sys.executable)
    monkeypatch.delenv("LINETWIN_ISAAC_PATH", raising=False)
    with pytest.raises(BackendUnavailable, match=r"No module named 'isaacsim' \(Python 3\..*python\.sh of an installation"):
        open_renderer("isaac")


# ---------------------------------------------------------------------------------------------- while Isaac Sim starts

@pytest.mark.parametrize(("body", "says"), [
    ("sys.exit(55)", r"status 55: extensions are missing .*install .*extscache"),
    ("print('Exiting app because of dependency solver failure...'); sys.exit(1)", r"status 1 \(.*Exiting app.*extscache"),
    ("sys.exit(0)", r"status 0 before it was up.*OMNI_KIT_ACCEPT_EULA=yes"),
    ("sys.exit('Unable to bootstrap inner kit kernel: EULA not accepted')", r"status 1 .*OMNI_KIT_ACCEPT_EULA=yes"),
    ("print('vkCreateInstance failed: ERROR_INCOMPATIBLE_DRIVER'); sys.exit(1)", r"status 1 .*NVIDIA GPU with RT cores"),
    ("os.kill(os.getpid(), signal.SIGSEGV)", "segmentation fault"),
    ("os._exit(139)", "segmentation fault"),
    ("os.kill(os.getpid(), signal.SIGKILL)", r"killed by SIGKILL \(the system may have been out of memory\)"),
    ("os._exit(137)", "killed by SIGKILL"),
    ("sys.exit(3)", r"status 3 \(.*; see the log"),
    ("answer(id=asked()['id'], ok=False, error={'kind': 'eula', 'message': 'no'}); time.sleep(60)", "OMNI_KIT_ACCEPT_EULA"),
    ("asked(); os.close(up); time.sleep(60)", "killed by SIGKILL"),
])
def test_a_start_that_fails_is_unavailable(tmp_path, monkeypatch, body, says):
    monkeypatch.setattr("generators.render.isaac.child.GRACE", 0.5)
    error = refusal(tmp_path, body)
    assert isinstance(error, BackendUnavailable) and error.exit_code == 3
    assert error.args[0].startswith("renderer 'isaac': start: ")
    assert re.search(says, str(error)), str(error)
    if "SIGKILL" not in says:
        assert "--renderer gl" in str(error)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
def test_root_is_named(tmp_path):
    assert "OMNI_KIT_ALLOW_ROOT" in str(refusal(tmp_path, "os._exit(139)"))


def test_a_start_that_hangs_is_killed_with_all_it_started(tmp_path):
    """The helper that the fake starts lives in its group and must go with it."""
    mark = tmp_path / "helper"
    body = f"""
import subprocess
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
open({str(mark)!r}, "w").write(str(helper.pid))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(120)
"""
    error = refusal(tmp_path, body, start_limit=3.0)
    assert isinstance(error, BackendUnavailable) and "no answer in 3 s, the worker was killed" in str(error)
    assert "LINETWIN_ISAAC_START_S" in str(error)
    assert fakes.gone(int(mark.read_text())), "the helper outlived its worker"


# ---------------------------------------------------------------------------------------------- while it works

@pytest.mark.parametrize(("body", "says"), [
    ("hello(); asked(); time.sleep(60)", "open_stage: no answer in 1 s, the worker was killed"),
    ("hello(); asked(); print('vkCreateInstance failed', flush=True); time.sleep(60)", "no answer in 1 s.*GPU with RT cores"),
    ("hello(); asked(); os.kill(os.getpid(), signal.SIGKILL)", "open_stage: the worker was killed by SIGKILL"),
    ("hello(); asked(); os._exit(139)", "open_stage: Isaac Sim ended with a segmentation .*run again: what was committed stays"),
    ("hello(); asked(); answers.write(b'[Warning] not json\\n'); time.sleep(60)", "not an answer: \"\\[Warning\\] not json\""),
    ("hello(); asked(); answers.write(b'\\xff\\xfe\\n'); time.sleep(60)", "not an answer"),
    ("hello(); asked(); answer(id=9, ok=True); time.sleep(60)", "not an answer.*not of one version"),
    ("hello(); asked(); answer(id=2, ok=True, meshes=1, surprise=2); time.sleep(60)", "not an answer"),
    ("hello(); asked(); answer(id=2, ok=False); time.sleep(60)", "not an answer"),
    ("hello(); asked(); answer(id=2, ok=False, error={'kind': 'mapping', 'message': 'number 7'}); time.sleep(60)",
     "number 7; a pixel shows something that has no label id"),
    ("hello(); asked(); answer(id=2, ok=False, error={'kind': 'new', 'message': 'odd'}); time.sleep(60)", "odd; this is a bug"),
    ("hello(); asked(); answers.write(b'{' * (1 << 25)); time.sleep(60)", "more than 16777216 bytes"),
])
def test_a_worker_that_fails_later_is_an_error_with_its_log(tmp_path, body, says):
    error = refusal(tmp_path, body, started=True, limit=1.0 if "1 s" in says else 20.0)
    assert type(error) is BackendError and "; log: " in str(error)
    assert re.search(says, str(error)), str(error)


def test_another_protocol_is_refused_by_the_worker(tmp_path):
    """The real worker's first file, asked in a version that it does not speak; Isaac Sim is not even looked for."""
    worker = Worker(fakes.setup())
    with pytest.raises(BackendError, match="speaks version 1, the host version 2; host and worker are not of one version"):
        worker.ask(Hello, **HELLO, protocol=2)
    worker.end()


def test_requests_out_of_order_are_refused_by_the_worker():
    for kind, fields, says in ((OpenStage, {"stage": "a.usda"}, "first request must be hello"),
                               (Delta, {"edits": (Show(path="/World", visible=True),)}, "no stage is open")):
        worker = Worker(fakes.setup())
        worker.started = True
        with pytest.raises(BackendError, match=says):
            worker.ask(kind, **fields)


def test_an_interrupted_host_leaves_no_worker(tmp_path, monkeypatch):
    worker = Worker(fakes.setup(), fakes.worker(tmp_path, "time.sleep(60)"))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("generators.render.isaac.child.select.poll", interrupted)
    with pytest.raises(KeyboardInterrupt):
        worker.ask(Hello, **HELLO)
    assert worker._process.returncode == -9 and not worker.shared.exists()


def test_close_ends_the_worker_and_its_folder(tmp_path):
    worker = Worker(fakes.setup(), fakes.worker(tmp_path, "hello(); answer(id=asked()['id'], ok=True)"))
    assert stat.S_IMODE(worker.shared.stat().st_mode) == 0o700
    worker.ask(Hello, **HELLO)
    worker.ask(Close)
    worker.end(10.0)
    assert worker._process.returncode == 0 and not worker.shared.exists()


def test_every_kind_has_advice():
    assert set(inside.KINDS) <= set(failures.KINDS)
    assert failures.tail("a\n\n\x1b[31mb\x1b[0m\n") == "a | [31mb [0m"


def test_environment_of_the_worker(tmp_path, monkeypatch):
    """No path of ours, no standard input, and only what it is given."""
    monkeypatch.setenv("PYTHONPATH", "/ours")
    monkeypatch.setenv("PYTHONSTARTUP", "/ours/start.py")
    body = """
hello()
found = [os.environ.get("PYTHONPATH"), "PYTHONSTARTUP" in os.environ, sys.stdin.read(), "/ours" in sys.path]
answer(id=asked()["id"], ok=False, error={"kind": "stage", "message": repr(found)})
"""
    error = refusal(tmp_path, body, started=True, paths=("/a", "/b"))
    assert "['/a:/b', False, '', False]" in str(error)


def test_x_rays_and_infrared_are_refused_as_by_pyrender():
    from generators.imaging.infrared import RadiantRenderer
    from generators.imaging.xray import PathRenderer

    assert not issubclass(IsaacRenderer, PathRenderer) and not issubclass(IsaacRenderer, RadiantRenderer)
