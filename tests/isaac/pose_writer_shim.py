"""The little that NVIDIA's ``PoseWriter`` imports, so that its own unmodified file runs without Isaac Sim.

Only names that it imports; what it computes and how it names things is all its own.
"""
from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

UTILS = "isaacsim.replicator.writers.scripts.utils"
FOLDER = Path("isaacsim.replicator.writers/isaacsim/replicator/writers")


class Writer:
    """Base class of writers."""

    def detach(self) -> None: ...


class BaseBackend:
    """Keeps what it is told to write, by path."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def schedule(self, write: Any, *, path: str, data: Any, **_: Any) -> None:
        self.kept[path] = data


class AnnotatorRegistry:
    """Names of annotators stand for themselves."""

    @staticmethod
    def get_annotator(name: str) -> str:
        return name


def pose_writer(exts: Path, monkeypatch: Any) -> Any:
    """NVIDIA's class, loaded from the wheel. ``monkeypatch`` takes the stand-in modules away again."""
    group = type("BackendGroup", (BaseBackend,), {})
    backends = {"BackendDispatch": BaseBackend, "BackendGroup": group, "BaseBackend": BaseBackend}
    functional = types.SimpleNamespace(write_json="write_json", write_image="write_image")
    modules: dict[str, dict[str, Any]] = {
        "carb": {}, "omni": {}, "omni.replicator": {}, "omni.replicator.core.scripts": {},
        "omni.replicator.core": {"Writer": Writer, "AnnotatorRegistry": AnnotatorRegistry, "functional": functional},
        "omni.replicator.core.scripts.backends": backends}
    for name in (UTILS.rsplit(".", 1)[0], "isaacsim.core.experimental.utils.stage", "isaacsim.core.experimental.utils.xform"):
        parts = name.split(".")
        modules |= {".".join(parts[:n]): {} for n in range(1, len(parts) + 1)}
    for name in sorted(modules):
        module = types.ModuleType(name)
        module.__dict__.update(modules[name])
        monkeypatch.setitem(sys.modules, name, module)
        if "." in name:
            parent, child = name.rsplit(".", 1)
            monkeypatch.setattr(sys.modules[parent], child, module, raising=False)
    _load(exts / FOLDER / "scripts/utils.py", UTILS, monkeypatch)
    return _load(exts / FOLDER / "scripts/writers/pose_writer.py", "nvidia_pose_writer", monkeypatch).PoseWriter


def compare(exts: Path) -> Any:
    """NVIDIA's own comparison of two PoseWriter files, out of its test module: None, or what differs."""
    import ast

    import numpy as np

    tree = ast.parse((exts / FOLDER / "tests/test_pose_writer.py").read_text(encoding="utf-8"))
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "compare_nested_structures_with_tolerance"]
    scope: dict[str, Any] = {"np": np, "Any": Any}
    exec(compile(ast.Module(found, []), "test_pose_writer.py", "exec"), scope)
    return scope["compare_nested_structures_with_tolerance"]


def _load(path: Path, name: str, monkeypatch: Any) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    write, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = write
    return module
