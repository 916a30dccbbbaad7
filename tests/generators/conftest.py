"""A small synthetic dataset, written once."""
from __future__ import annotations

from pathlib import Path

import pytest
import synthetic

from generators.dataset import Dataset


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A finished dataset of ten samples; only read it."""
    return synthetic.write(tmp_path_factory.mktemp("dataset") / "finished")


@pytest.fixture
def dataset(finished):
    with Dataset.read(finished) as opened:
        yield opened
