"""The real Isaac Sim from the public wheels on a machine without a GPU: how it ends, and what we make of that.

Measured with Isaac Sim 6.2.0.0 (Python 3.12, Debian 12, no GPU), each in a child process:

    licence not accepted, standard input closed   status 1, "EULA not accepted. Set OMNI_KIT_ACCEPT_EULA=YES …"     0.2 s
    licence declined at the prompt                status 0 (!), "The EULA was not accepted."                        0.2 s
    no extension cache, registry unreachable      status 55, "Exiting app because of dependency solver failure"     1.2 s
      the same with the registry switched off     status 55                                                         0.7 s
    bare kernel as root without leave             status 139 (SIGSEGV), "cannot be run as the root user"            0.5 s
    bare kernel as root with --allow-root         starts and ends with status 0; it has no renderer                 0.8 s

6.1.0.0 and 6.0.1.0 end in the same ways; 6.0.1.0 says "EOF when reading a line" in the first case.

The wheels on PyPI lack the extension cache, so nothing gets further than that; what happens on a machine with all of Isaac
Sim and no GPU is not known. Skipped without the wheels; see conftest.py. No test accepts NVIDIA's licence for anyone.
"""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from generators.dataset import Dataset
from generators.render import open_renderer
from scenes.errors import BackendError, BackendUnavailable

LIMIT = "30"                                   # [s] in which the worker must have answered; it is killed then
PATIENCE = 240                                 # [s] for a whole process on a busy machine
APP = "from isaacsim import SimulationApp; print('IMPORTED', flush=True); SimulationApp({'headless': True}); print('STARTED')"
OFFLINE = APP.replace("True}", "True, 'extra_args': ['--/app/extensions/registryEnabled=false']}")
KERNEL = ("import isaacsim\nfrom kit_app import KitApp\nprint('IMPORTED', flush=True)\napp = KitApp()\n"
          "app.startup(['--empty', '--no-window'{}])\nprint('STARTED', flush=True)\napp.shutdown()")


def start(python: Path, code: str, home: Path, *, answer: str | None = None, accept: bool = True) -> tuple[int, str]:
    """(status, output) of a child that runs ``code``. Kit writes its caches below ``home``."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMNI_KIT", "PYTHON"))} | {"HOME": str(home)}
    if accept:
        environment["OMNI_KIT_ACCEPT_EULA"] = "YES"
    done = subprocess.run([python, "-c", code], input=answer, stdin=subprocess.DEVNULL if answer is None else None,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=PATIENCE,
                          cwd=home, env=environment)
    return done.returncode, done.stdout


@pytest.fixture
def unaccepted(isaac_python):
    """Nobody has accepted the licence at this interpreter's own prompt: Kit remembers that in a file beside its kernel."""
    if list(isaac_python.parent.parent.glob("lib/python3.*/site-packages/isaacsim/kit/EULA_ACCEPTED")):
        pytest.skip("NVIDIA's licence was accepted here once and for all, at the prompt")


# ------------------------------------------------------------------------------------------------ Isaac Sim by itself

def test_licence_not_accepted_ends_with_1(isaac_python, unaccepted, tmp_path):
    status, said = start(isaac_python, APP, tmp_path, accept=False)
    assert status == 1 and "Do you accept the EULA?" in said and "Unable to bootstrap" in said and "IMPORTED" not in said


def test_licence_declined_ends_with_0(isaac_python, unaccepted, tmp_path):
    """So status 0 never means that it started."""
    status, said = start(isaac_python, APP, tmp_path, answer="no\n", accept=False)
    assert status == 0 and "EULA was not accepted" in said and "IMPORTED" not in said


@pytest.mark.parametrize("code", [APP, OFFLINE], ids=["registry", "offline"])
def test_missing_extensions_end_with_55(isaac_python, accepted, tmp_path, code):
    status, said = start(isaac_python, code, tmp_path)
    assert status == 55 and "dependency solver failure" in said and "IMPORTED" in said and "STARTED" not in said
    assert ("Synced registries:\n     (none)" in said) == (code is OFFLINE)       # the setting that the worker uses works


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
def test_bare_kernel_as_root_ends_with_139(isaac_python, accepted, tmp_path):
    status, said = start(isaac_python, KERNEL.format(""), tmp_path)
    assert status == -11 and "cannot be run as the root user" in said          # −SIGSEGV; a shell calls it 139
    status, said = start(isaac_python, KERNEL.format(", '--allow-root'"), tmp_path)
    assert status == 0 and "STARTED" in said


# ------------------------------------------------------------------------------------------------ our backend on it

@pytest.fixture
def backend(isaac_python, monkeypatch, tmp_path):
    """The environment in which ``open_renderer('isaac')`` starts the real thing."""
    monkeypatch.setenv("LINETWIN_ISAAC_PYTHON", str(isaac_python))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in list(os.environ):
        if name.startswith("LINETWIN_ISAAC_") and name not in ("LINETWIN_ISAAC_PYTHON", "LINETWIN_ISAAC_WHEELS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LINETWIN_ISAAC_START_S", LIMIT)
    return monkeypatch


def refused() -> str:
    """The message of opening the backend here. That a limit was reached would be another one."""
    with pytest.raises(BackendUnavailable) as caught:
        open_renderer("isaac")
    message = str(caught.value)
    assert isinstance(caught.value, BackendError) and caught.value.exit_code == 3
    assert "\n" not in message and message.startswith("renderer 'isaac': start: ") and "--renderer gl" in message
    assert "no answer" not in message
    return message


def test_backend_says_that_extensions_are_missing(backend, accepted):
    message = refused()
    assert "extension" in message and "extscache" in message


def test_backend_says_that_the_licence_is_not_accepted(backend, unaccepted):
    backend.delenv("OMNI_KIT_ACCEPT_EULA", raising=False)
    message = refused()
    assert "OMNI_KIT_ACCEPT_EULA" in message and "licence" in message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused")
def test_backend_says_that_root_is_refused(isaac_python, accepted, tmp_path):
    """The bare kernel's segmentation fault, through the same process handling. (SimulationApp 6.2 adds --allow-root itself.)"""
    from generators.render.isaac import child, settings
    from generators.render.isaac.messages import Hello

    main = tmp_path / "main.py"
    main.write_text(KERNEL.format(""))
    worker = child.Worker(settings.Setup(isaac_python), main)
    try:
        with pytest.raises(BackendUnavailable, match=r"segmentation fault.*OMNI_KIT_ALLOW_ROOT"):
            worker.ask(Hello, shared=str(worker.shared), mode="RealTimePathTracing", offline=True)
    finally:
        worker.end()


# ------------------------------------------------------------------------------------------------ a whole run

def linetwin(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run([sys.executable, "-m", "linetwin.cli", *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE, env=os.environ | environment)


@pytest.fixture
def recipe(examples, tmp_path) -> Path:
    """Four small samples in two shards of the shipped board."""
    path = tmp_path / "recipe.yaml"
    path.write_text(f"linetwin: 1\nscene: {examples / 'inspector.scene.yaml'}\nseed: 5\ncount: 4\nshard_size: 2\n"
                    "frames: {pixel_um: 100}\n")
    return path


def test_a_run_ends_clearly_and_goes_on_with_gl(backend, accepted, recipe, tmp_path):
    """Exit 3 and one line; then ``--renderer gl`` into the same folder; then isaac again, and what is there stays."""
    out = tmp_path / "dataset"
    ended = linetwin("generate", recipe, "-o", out, "--renderer", "isaac", "--workers", "0")
    assert ended.returncode == 3, ended.stderr
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1 and "extension" in lines[0] and "--renderer gl" in lines[0] and "Traceback" not in ended.stderr
    assert not (out / "meta").exists()         # nothing was claimed for a renderer that never was

    done = linetwin("generate", recipe, "-o", out, "--renderer", "gl", "--workers", "0", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["made"] == 4
    before = {p.name: p.read_bytes() for p in sorted((out / "data").iterdir())}
    assert len(before) == 2

    again = linetwin("generate", recipe, "-o", out, "--renderer", "isaac", "--workers", "0")
    assert again.returncode == 3
    assert {p.name: p.read_bytes() for p in sorted((out / "data").iterdir())} == before
    with Dataset.read(out) as dataset:
        assert len(list(dataset.rows())) == 4


def test_a_run_with_ray_ends_clearly(backend, accepted, recipe, tmp_path):
    ended = linetwin("generate", recipe, "-o", tmp_path / "dataset", "--renderer", "isaac", "--workers", "1")
    assert ended.returncode == 3 and len(ended.stderr.strip().splitlines()) == 1 and "--renderer gl" in ended.stderr
