"""A dataset on disk: its schema, how shards are committed, how rows are read back.

Start reading at schema.py, then shards.py, then reader.py. ``Dataset`` is imported when it is asked for: pyarrow is heavy.
"""
from __future__ import annotations

from typing import Any

__all__ = ["Dataset", "DatasetInfo"]


def __getattr__(name: str) -> Any:
    if name == "Dataset":
        from generators.dataset.reader import Dataset

        return Dataset
    if name == "DatasetInfo":
        from generators.dataset.schema import DatasetInfo

        return DatasetInfo
    raise AttributeError(f"module 'generators.dataset' has no attribute '{name}'")
