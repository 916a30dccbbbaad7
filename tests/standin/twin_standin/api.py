"""Modules, functions and signatures made from ``api.json``. What is not in there does not exist.

A name with an implementation is bound to it through the signature of the file; a name without one raises
NotImplementedError and says so. Names and parameters that came after the chosen version are left out.
"""
from __future__ import annotations

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

API = Path(__file__).resolve().parent.parent / "api.json"
VERSION = os.environ.get("LINETWIN_STANDIN_VERSION", "6.2")
_UNKNOWN = type("Unknown", (), {"__repr__": lambda self: "<not known>"})()   # a default that nobody has read
_implemented: dict[str, Callable[..., Any]] = {}


class StandInError(RuntimeError):
    """The worker did what Isaac Sim's contract does not allow: a wrong order of calls, a value that makes no sense."""


def _release(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@functools.lru_cache(maxsize=1)
def entries() -> dict[str, dict[str, Any]]:
    """Full name → entry of ``api.json``, of the chosen version."""
    rows = json.loads(API.read_text())["entries"]
    return {row["name"]: row for row in rows if _release(row.get("since", "0")) <= _release(VERSION)}


def signature(name: str) -> inspect.Signature | None:
    """Parameters of one entry as Python has them; None where nobody has read any."""
    row = entries()[name]
    if "parameters" not in row:
        return None
    out, keyword_only = [], False
    for p in row["parameters"]:
        if _release(p.get("since", "0")) > _release(VERSION):
            continue
        keyword_only = keyword_only or p.get("only") == "keyword"
        kind = {"rest": inspect.Parameter.VAR_KEYWORD, "position": inspect.Parameter.POSITIONAL_ONLY}.get(
            p.get("only", ""), inspect.Parameter.KEYWORD_ONLY if keyword_only else inspect.Parameter.POSITIONAL_OR_KEYWORD)
        default = p["default"] if "default" in p else _UNKNOWN if p.get("optional") else inspect.Parameter.empty
        out.append(inspect.Parameter(p["name"], kind, default=default if kind is not inspect.Parameter.VAR_KEYWORD
                                     else inspect.Parameter.empty))
    return inspect.Signature(out)


def implements(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say that a function does what the entry ``name`` promises; returns it behind the entry's signature."""
    def bind(function: Callable[..., Any]) -> Callable[..., Any]:
        if name not in entries():
            return function                    # not offered by the chosen version: nothing will lead to it
        _implemented[name] = strict(name, function)
        return _implemented[name]
    return bind


def strict(name: str, function: Callable[..., Any], method: bool = False) -> Callable[..., Any]:
    """``function`` behind the signature of ``api.json``; arguments nobody gave, and whose default nobody knows, are left out."""
    known = signature(name)
    mine = list(inspect.signature(function).parameters)[1 if method else 0:]
    if known is not None:
        missing = [p for p in known.parameters if p not in mine]
        if missing:
            raise AssertionError(f"stand-in: {name} lacks {', '.join(missing)}")

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        own, given = (args[:1], args[1:]) if method else ((), args)
        if known is None:
            raise NotImplementedError(f"{name}: its parameters are in no public source; do not call it")
        try:
            bound = known.bind(*given, **keywords)
        except TypeError as error:
            raise TypeError(f"{name}{known}: {error}") from None
        record(name, sorted(bound.arguments))
        return function(*own, **bound.arguments)
    return call


def strict_methods(prefix: str) -> Callable[[type], type]:
    """Class decorator: every public method is bound to the entry ``<prefix>.<method>``."""
    def bind(cls: type) -> type:
        for name, value in list(vars(cls).items()):
            if callable(value) and not name.startswith("_"):
                full = f"{prefix}.{name}"
                if full in entries():
                    setattr(cls, name, strict(full, value, method=True))
                else:
                    delattr(cls, name)
        for full in entries():
            head, _, last = full.rpartition(".")
            if head == prefix and not hasattr(cls, last):
                setattr(cls, last, _absent(full))
        return cls
    return bind


def record(name: str, keywords: list[str]) -> None:
    """Append a call to the file that the test reads."""
    path = os.environ.get("LINETWIN_STANDIN_CALLS")
    if path:
        row = {"name": name, "confidence": entries()[name]["confidence"], "keywords": keywords}
        with open(path, "a") as file:
            file.write(json.dumps(row) + "\n")


def _absent(name: str) -> Callable[..., Any]:
    def call(*args: Any, **keywords: Any) -> Any:
        raise NotImplementedError(f"{name}: NVIDIA's program has it, the stand-in does not; add it there or do without")
    return call


class _Refused:
    """A class that exists and that the stand-in does not have."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        raise NotImplementedError(f"{type(self).__doc__}: NVIDIA's program has it, the stand-in does not")


class StrictModule(ModuleType):
    """A module that holds what ``api.json`` lists under its name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} in Isaac Sim {VERSION}, as far as public "
                             "sources tell (tests/standin/api.json)")


def install(top: str) -> None:
    """Fill the package ``top`` and make the modules below it, as ``sys.modules`` has them."""
    for full, row in entries().items():
        if full.split(".")[0] != top or ":" in full or row["kind"] == "config":
            continue
        parts = full.split(".")
        owner = next((i for i, part in enumerate(parts[:-1]) if part[0].isupper()), None)
        if owner is not None and parts[owner] not in _NAMESPACES:
            continue                           # a class's attribute
        module = _module(".".join(parts[:-1]), package=False)
        if full in _implemented:
            value: Any = _implemented[full]
        elif row["kind"] == "class":
            value = type(parts[-1], (_Refused,), {"__doc__": full, "__module__": module.__name__})
        else:
            value = _absent(full)
        setattr(module, parts[-1], value)


_NAMESPACES = {"AnnotatorRegistry", "WriterRegistry"}          # classes of static methods: the same to a caller as a module


def _module(name: str, package: bool) -> ModuleType:
    if name in sys.modules:
        module = sys.modules[name]
        if not isinstance(module, StrictModule):
            module.__class__ = StrictModule    # a package on disk becomes as strict as the rest
        return module
    parent, _, last = name.rpartition(".")
    module = StrictModule(name)
    module.__path__ = []                       # a package: its submodules are found in sys.modules, others not at all
    sys.modules[name] = module
    setattr(_module(parent, package=True), last, module)
    return module


def offered(name: str) -> dict[str, Any] | None:
    """The entry of that name, or None."""
    return entries().get(name)
