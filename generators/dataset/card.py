"""README.md of a dataset: the card that people and the Hugging Face hub read. A field that cannot be filled is an error."""
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from generators.dataset.schema import IMPORTED
from scenes.errors import DatasetError
from scenes.family import Taxonomy

if TYPE_CHECKING:
    from generators.dataset.meta import Info

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(info: Info, taxonomy: Taxonomy, stats: Mapping[str, Any]) -> str:
    """The card's text. Raises DatasetError where a field is empty."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, UndefinedError

    for name in ("name", "license", "scene", "board", "renderer", "acceptance"):
        if not getattr(info, name):
            raise DatasetError(f"card: '{name}' is empty; a dataset's card says it, so give it to DatasetInfo")
    environment = Environment(loader=PackageLoader("generators.dataset"), undefined=StrictUndefined, trim_blocks=True,  # noqa: S701
                              lstrip_blocks=True, keep_trailing_newline=True)      # Markdown, not HTML
    titles = {d.name: d for d in taxonomy.defects}
    try:
        return environment.get_template("imported.md.j2" if info.renderer == IMPORTED else "card.md.j2").render(
            info=info, stats=stats, size=next((s for n, s in _SIZES if info.samples < n), "n>1M"),
            defects=[(titles[n], c) for n, c in stats["categories"].items() if n in titles],
            parts=[(n, c) for n, c in stats["categories"].items() if n not in titles],
            hidden=sum(c["hidden"] for c in stats["categories"].values()))
    except UndefinedError as error:
        raise DatasetError(f"card: {error}; this is a bug, please report it") from None


__all__ = ["card"]
