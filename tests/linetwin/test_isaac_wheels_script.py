"""scripts/isaac_wheels with a stand-in for Python 3.12: which folders it takes, empties and leaves alone."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "isaac_wheels"
TOOLS = {
    "uname": "echo Linux x86_64",
    "getconf": "echo glibc 2.36",
    "df": "printf 'h\\nfs 1 1 99999 1 /\\n'",                                  # 99 999 MB free
    "python": """
case "$*" in
  -c*) exit 0;;
  --version) echo Python 3.12.0;;
  "-m venv "*) echo "$*" >> "$LOG"; mkdir -p "$3/bin"; : > "$3/pyvenv.cfg"; cp "$0" "$3/bin/python";;
  *) echo "${*:1:2}" >> "$LOG"; exit "${PIP_EXIT:-0}";;
esac""",
}


@pytest.fixture
def isaac_wheels(tmp_path):
    """Runs the script over one folder: exit code, what it says, and the calls of the interpreter."""
    tools, log = tmp_path / "tools", tmp_path / "log"
    tools.mkdir()
    for name, text in TOOLS.items():
        (tools / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
        (tools / name).chmod(0o755)

    def run(folder: Path, **more: str) -> tuple[int, str, list[str]]:
        log.write_text("")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LINETWIN_")} | {
            "PATH": f"{tools}:{os.environ['PATH']}", "LINETWIN_PYTHON312": str(tools / "python"), "LOG": str(log), **more}
        done = subprocess.run([SCRIPT, folder], capture_output=True, text=True, env=environment, timeout=60)
        return done.returncode, done.stderr, log.read_text().splitlines()

    return run


@pytest.mark.parametrize("empty", [False, True])
def test_a_new_folder_and_an_empty_one_are_filled(isaac_wheels, tmp_path, empty):
    folder = tmp_path / "isaac"
    if empty:
        folder.mkdir()
    code, said, calls = isaac_wheels(folder)
    assert code == 0 and "isaac_wheels: ready." in said and calls == [f"-m venv {folder}", "-m pip"]
    code, said, calls = isaac_wheels(folder)
    assert code == 0 and "is up to date" in said and not calls


@pytest.mark.parametrize("name", ["pyvenv.cfg", "notes.txt", ".hidden"])
def test_a_folder_of_somebody_else_is_left_alone(isaac_wheels, tmp_path, name):
    """Also a virtual environment: it may be the installation of Isaac Sim itself."""
    folder = tmp_path / "env"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib/isaacsim.py").write_text("precious")
    (folder / name).write_text("home = /usr/bin\n")
    code, said, calls = isaac_wheels(folder)
    assert code == 2 and not calls
    assert said == (f"isaac_wheels: {folder}: was not made by this script, which empties its folder first; "
                    "choose a new or an empty one\n")
    assert (folder / "lib/isaacsim.py").read_text() == "precious" and (folder / name).exists()


def test_a_run_that_failed_is_taken_up_again(isaac_wheels, tmp_path):
    folder = tmp_path / "isaac"
    code, said, _ = isaac_wheels(folder, PIP_EXIT="1")
    assert code == 3 and "pip failed" in said
    (folder / "lib").mkdir()
    (folder / "lib/half").write_text("cut short")
    code, said, calls = isaac_wheels(folder)
    assert code == 0 and calls == [f"-m venv {folder}", "-m pip"] and not (folder / "lib").exists()
    code, _, calls = isaac_wheels(folder, LINETWIN_ISAAC_VERSION="6.1.0.0")      # another version replaces it
    assert code == 0 and len(calls) == 2
