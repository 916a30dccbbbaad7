"""omni.replicator.core: writers. A class that derives from ``Writer`` is called with what its annotators give, after each step.

NVIDIA's own writers (BasicWriter, …) only have their arguments checked here, and leave one file that says what they were
given: nobody can tell from outside what they write.
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twin_standin import api
from twin_standin.api import StandInError, implements, record, signature
from twin_standin.products import Annotator, R, RenderProduct, _get, _step
from twin_standin.session import SESSION

_registered: dict[str, type] = {}
_attached: list[Writer] = []
_CHECKED = {"BasicWriter": f"{R}.BasicWriter.initialize", "KittiWriter": f"{R}.KittiWriter", "CocoWriter": f"{R}.CocoWriter",
            "CosmosWriter": f"{R}.CosmosWriter", "PoseWriter": "isaacsim.replicator.writers.PoseWriter"}


class Writer:
    """The base class of writers, as NVIDIA's own subclasses use it."""

    annotators: list[Any]
    data_structure: str

    def initialize(self, **kwargs: Any) -> None:
        record(f"{R}.Writer.initialize", sorted(kwargs))
        self.__init__(**kwargs)  # type: ignore[misc]
        if not isinstance(getattr(self, "annotators", None), list) or not self.annotators:
            raise StandInError(f"writer {type(self).__name__}: sets no annotators")
        if getattr(self, "data_structure", "legacy") != "renderProduct":
            raise NotImplementedError(f"writer {type(self).__name__}: the stand-in has the layout 'renderProduct' alone")

    def attach(self, render_products: Any, trigger: Any = "omni.replicator.core.OgnOnFrame") -> None:
        SESSION.running("Writer.attach")
        record(f"{R}.Writer.attach", ["render_products"])
        products = list(render_products) if isinstance(render_products, list | tuple) else [render_products]
        if not products or not all(isinstance(p, RenderProduct) for p in products):
            raise StandInError(f"writer {type(self).__name__}: attach wants render products, got {render_products!r}")
        self._of: list[tuple[str, list[Annotator]]] = []
        for product in products:
            mine = []
            for told in getattr(self, "annotators", []):
                annotator = _get(told) if isinstance(told, str) else Annotator(told.name, told.options)
                annotator.attach([product])
                mine.append(annotator)
            self._of.append((product.path.rsplit("/", 1)[1], mine))
        _attached.append(self)

    def detach(self) -> None:
        record(f"{R}.Writer.detach", [])
        if self not in _attached:
            raise StandInError(f"writer {type(self).__name__}: detach without attach")
        for _, annotators in self._of:
            for annotator in annotators:
                annotator.detach()
        _attached.remove(self)

    def write(self, data: dict[str, Any]) -> None:
        raise NotImplementedError


class _Checked(Writer):
    """One of NVIDIA's writers: its arguments are checked, it writes nothing but them."""

    def __init__(self, name: str) -> None:
        self.name, self.annotators = name, []

    def initialize(self, **kwargs: Any) -> None:
        entry = _CHECKED[self.name]
        known = signature(entry)
        assert known is not None
        try:
            known.bind(**kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}.initialize: {error}") from None
        record(entry, sorted(kwargs))
        folder = Path(kwargs["output_dir"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "given.json").write_text(json.dumps(kwargs, sort_keys=True, default=str))
        self.annotators = ["rgb"]

    def write(self, data: dict[str, Any]) -> None:
        return


def _register(cls: type, category: str | None = None) -> None:
    SESSION.running("WriterRegistry.register")
    if not (isinstance(cls, type) and issubclass(cls, Writer)):
        raise StandInError(f"WriterRegistry.register: {cls!r} is no class of writers")
    if cls.__name__ in _CHECKED:
        raise StandInError(f"WriterRegistry.register: {cls.__name__} is one of NVIDIA's")
    _registered[cls.__name__] = cls


def _writer(name: str) -> Writer:
    SESSION.running("WriterRegistry.get")
    if name in _CHECKED and api.offered(_CHECKED[name]) is not None:
        return _Checked(name)
    if name not in _registered:
        raise StandInError(f"WriterRegistry.get: no writer {name!r}; there are: {', '.join([*_CHECKED, *_registered])}")
    cls = _registered[name]
    return cls.__new__(cls)                    # made by ``initialize``


def _data(annotators: list[Annotator]) -> dict[str, Any]:
    """One render product's part of the layout: information is flattened beside the data."""
    out = {}
    for annotator in annotators:
        value = annotator.get_data()
        if isinstance(value, dict):
            out[annotator.name] = {"data": value["data"], **value["info"]} if "info" in value else dict(value)
        else:
            out[annotator.name] = {"data": value}
    return out


def _step_and_write(rt_subframes: int = -1, pause_timeline: bool = True, delta_time: float | None = None,
                    wait_for_render: bool = True) -> None:
    _step(rt_subframes, pause_timeline, delta_time, wait_for_render)
    for writer in list(_attached):
        try:
            writer.write({"renderProducts": {name: _data(mine) for name, mine in writer._of},
                          "trigger_outputs": {"on_time": 0}})
        except Exception as error:             # as in NVIDIA's graph: it is logged, and the frame is lost
            print(f"[Error] [omni.replicator.core] {type(writer).__name__}.write: {error}", flush=True)


api._implemented[f"{R}.Writer"] = Writer
for _name in ("WriterRegistry.register", "writers.register_writer"):
    implements(f"{R}.{_name}")(_register if _name.startswith("WriterRegistry") else lambda cls: _register(cls))
for _name in ("WriterRegistry.get", "writers.get"):
    implements(f"{R}.{_name}")(_writer)
implements(f"{R}.orchestrator.step")(_step_and_write)
