"""A renderer for each module of tests, and a small synthetic dataset, written once."""
from __future__ import annotations

from pathlib import Path

import pytest
import synthetic

from generators.dataset import Dataset
from generators.render import open_renderer
from scenes.errors import BackendUnavailable


@pytest.fixture(scope="module")
def gl():
    try:
        renderer = open_renderer("gl")
    except BackendUnavailable as error:
        pytest.skip(str(error))
    yield renderer
    renderer.close()


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A finished dataset of ten samples; only read it."""
    return synthetic.write(tmp_path_factory.mktemp("dataset") / "finished")


@pytest.fixture
def dataset(finished):
    with Dataset.read(finished) as opened:
        yield opened
