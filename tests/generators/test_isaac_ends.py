"""How worker and host end when the other one goes, hangs or cannot be served: nothing is left behind, none waits for ever."""
from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import isaac_fakes as fakes
import pytest

from generators.render.isaac.child import MAIN, Worker
from generators.render.isaac.messages import Delta, Hello, OpenStage, Show
from generators.render.isaac.settings import from_environment
from generators.render.isaac.worker import serve
from scenes.errors import BackendError, StorageError

HELLO = {"shared": "/nowhere", "mode": "RealTimePathTracing"}


@pytest.fixture(autouse=True)
def _logs_stay_here(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_worker_hears_when_its_host_is_gone(isaac_environment, monkeypatch):
    """The real worker with the stand-in, waiting for a request: it ends when the pipe does, and takes its folder with it."""
    if not isaac_environment:
        pytest.skip("LINETWIN_ISAAC_PYTHON is set: this test is about the stand-in")
    monkeypatch.setenv("OMNI_KIT_ACCEPT_EULA", "yes")
    worker = Worker(from_environment(isaac_environment))
    worker.ask(Hello, shared=str(worker.shared), mode="RealTimePathTracing")
    os.close(worker._down)
    assert worker._process.wait(20) == 0 and not worker.shared.exists()
    worker._down = os.open(os.devnull, os.O_WRONLY)
    worker.end()


def test_a_host_that_goes_while_isaac_sim_starts_leaves_nothing(tmp_path):
    """The real worker over an Isaac Sim that starts a helper and hangs: it ends with the helper and the shared folder."""
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim" / "isaacsim.py").write_text("""
import os, subprocess, sys, time
class SimulationApp:
    def __init__(self, options):
        helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
        with open("../part", "w") as file:
            file.write(str(helper.pid))
        os.rename("../part", "../helper")
        time.sleep(120)
""")
    main = tmp_path / "main.py"
    main.write_text(f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("first", {str(MAIN)!r})
first = importlib.util.module_from_spec(spec)
spec.loader.exec_module(first)
serve = first.package()
serve.GRACE = 0.2
sys.exit(serve.main(sys.argv[1:]))
""")
    worker = Worker(fakes.setup(paths=(str(tmp_path / "sim"),)), main)
    hello = Hello(id=1, shared=str(worker.shared), mode="RealTimePathTracing").model_dump_json().encode() + b"\n"
    worker._send(hello, time.monotonic() + 10)
    until = time.monotonic() + 20
    while not (tmp_path / "helper").exists():
        assert time.monotonic() < until and worker._process.poll() is None, worker._said()
        time.sleep(0.05)
    os.close(worker._down)
    assert worker._process.wait(20) == -9 and not worker.shared.exists()
    assert fakes.gone(int((tmp_path / "helper").read_text()))
    worker._down = os.open(os.devnull, os.O_WRONLY)
    worker.end()


def test_only_a_shared_folder_is_deleted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("other", "linetwin-isaac-a", "linetwin-isaac-b"):
        (tmp_path / name).mkdir()
    (tmp_path / "linetwin-isaac-link").symlink_to(tmp_path / "other")
    for path in (tmp_path / "other", Path("linetwin-isaac-a"), tmp_path / "linetwin-isaac-b", tmp_path / "linetwin-isaac-link"):
        serve._take_away(path)
    assert {p.name for p in tmp_path.iterdir()} == {"other", "linetwin-isaac-a", "linetwin-isaac-link"}


def test_a_request_that_is_too_long_ends_the_worker(tmp_path):
    worker = Worker(fakes.setup(), fakes.worker(tmp_path, "hello(); time.sleep(60)"))
    worker.ask(Hello, **HELLO)
    worker.started = True
    edit = Show(path="/World/" + "a" * 900, visible=True)
    with pytest.raises(BackendError, match=r"delta: a request of \d+ bytes, at most 16777216; "):
        worker.ask(Delta, edits=(edit,) * 20000)
    assert worker._process.returncode == -9 and not worker.shared.exists()


def test_a_full_disk_is_said_to_be_one(tmp_path, monkeypatch):
    """Not an interpreter that cannot be started; and the folder goes."""
    own = Path.open

    def full(path, *args, **options):
        if path.name == "worker.log":
            raise OSError(28, "No space left on device")
        return own(path, *args, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StorageError, match=r"cannot be written \(No space left on device\); free space there, or set TMPDIR"):
        Worker(fakes.setup())
    assert not list(tmp_path.glob("linetwin-isaac-*"))


def test_a_process_that_takes_no_signal_is_not_waited_for(tmp_path, monkeypatch):
    """As one that hangs in a driver: here the signal does not reach it."""
    monkeypatch.setattr("generators.render.isaac.child.GRACE", 0.2)
    worker = Worker(fakes.setup(limit=1.0), fakes.worker(tmp_path, "hello(); asked(); os.close(up); time.sleep(60)"))
    worker.ask(Hello, **HELLO)
    worker.started, kill = True, os.killpg
    monkeypatch.setattr("generators.render.isaac.child.os.killpg", lambda *_: None)
    with pytest.raises(BackendError, match="open_stage: the worker was killed by SIGKILL"):
        worker.ask(OpenStage, stage="a.usda")
    assert worker._process.returncode is None and not worker.shared.exists()
    kill(worker._process.pid, 9)
    worker._process.wait(10)
