"""carb.settings: the settings that public sources name, with the application's defaults."""
from __future__ import annotations

from typing import Any

from twin_standin.api import StandInError, entries, implements, strict_methods
from twin_standin.session import SESSION

_DEFAULTS: dict[str, Any] = {
    "/omni/replicator/captureOnPlay": True, "/omni/replicator/asyncRendering": False, "/omni/replicator/RTSubframes": 1,
    "/omni/replicator/backend/writeThreads": 4, "/omni/replicator/backend/queueSize": 1000, "/rtx/post/dlss/execMode": 0,
    "/app/extensions/registryEnabled": True}


def defaults() -> dict[str, Any]:
    """Every known setting; None where nobody has read the default."""
    names = [row["name"].partition(":")[2] for row in entries().values() if row["kind"] == "setting"]
    return {name: _DEFAULTS.get(name) for name in names}


def _known(path: str) -> None:
    if path not in SESSION.settings:
        raise StandInError(f"setting {path!r}: in no public source that api.json knows; the real one takes anything silently")


def assign(path: str, value: Any) -> None:
    """Raises StandInError for a name that nobody has read about."""
    _known(path)
    if not isinstance(value, str | bool | int | float):
        raise StandInError(f"setting {path}: {type(value).__name__} is no setting's type")
    SESSION.settings[path] = value


@strict_methods("carb.settings.ISettings")
class ISettings:
    __slots__ = ()

    def get(self, path: str) -> Any:
        _known(path)
        return SESSION.settings[path]

    def set(self, path: str, value: Any) -> None:
        assign(path, value)


@implements("carb.settings.get_settings")
def get_settings() -> ISettings:
    SESSION.running("carb.settings.get_settings")
    return ISettings()
