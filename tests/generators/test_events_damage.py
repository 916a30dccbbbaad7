"""Files of a run that somebody changed: one line that names the file, never a traceback, and bounds on what is read."""
from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from events_run import line

from generators.events import found as found_file
from generators.events.channels import ChannelFile, write_channels
from generators.events.found import FOUND, Found, read_found, write_found
from generators.text import table as log_file
from generators.text.entry import Entry
from generators.text.table import LOG, read_entries, write_entries
from scenes.errors import DatasetError

DEFECTS = (Found(0, "shift", "C3", 120e-6), Found(0, "missing", "R7", float("nan")), Found(2, "bridge", "U1", 0.5))
ENTRIES = (Entry(1.5, "L/aoi", "", "alarm", "en", "E4101 lamp", 1.0, 3, "aoi", mentions=("code", "symptom")),
           Entry(9.0, "lead", "lead 1-1", "shift_log", "ko", "이상 없음", 0.0, values=(("units", 900.0), ("stops", 2.0))))


def read_channels(folder):
    with ChannelFile(folder) as file:
        file.at(3.0)
        return file.read()


@pytest.fixture
def files(tmp_path):
    """Name → how it is read."""
    write_found(tmp_path / "found.parquet", DEFECTS)
    write_entries(tmp_path / "log.parquet", ENTRIES)
    write_channels(tmp_path, line(), [(np.arange(50.0), np.random.default_rng(1).normal(size=(50, len(line().sensors))))])
    return {"found": lambda: read_found(tmp_path / "found.parquet", 3), "log": lambda: read_entries(tmp_path / "log.parquet"),
            "channels": lambda: read_channels(tmp_path)}


def test_what_is_whole_is_read(files):
    assert repr(files["found"]()) == repr(DEFECTS)
    assert repr(files["log"]()) == repr(ENTRIES)


@pytest.mark.parametrize("name", ["found", "log", "channels"])
def test_a_changed_byte_is_an_error_of_ours_or_makes_no_difference_in_kind(files, tmp_path, name):
    path = tmp_path / f"{name}.parquet"
    whole = path.read_bytes()
    rng, refused = np.random.default_rng(5), 0
    for place in np.linspace(0, len(whole) - 1, 300).astype(int).tolist():
        changed = bytearray(whole)
        changed[place] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        try:
            files[name]()
        except DatasetError as error:
            refused += 1
            assert str(path) in str(error) and "\n" not in str(error)
    assert refused > 100                                                  # the rest are other words in the metadata
    for part in (0, 3, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:part])
        with pytest.raises(DatasetError, match=name):
            files[name]()


@pytest.mark.parametrize(("name", "schema"), [("found", FOUND), ("log", LOG)])
def test_other_columns_are_refused(files, tmp_path, name, schema):
    path = tmp_path / f"{name}.parquet"
    table = pq.read_table(path)
    first = schema.names[0]
    words, nothing = pa.array(["x"] * len(table)), pa.nulls(len(table), schema.field(0).type)
    for other, message in ((table.drop_columns([schema.names[1]]), "this linetwin reads"),
                           (table.append_column("more", words), "this linetwin reads"),
                           (table.rename_columns(["odd", *schema.names[1:]]), "this linetwin reads"),
                           (table.set_column(0, first, words), "damaged"),
                           (table.set_column(0, first, nothing), f"{first}: {len(table)} values are missing")):
        pq.write_table(other, path)
        with pytest.raises(DatasetError, match=message):
            files[name]()


def test_words_that_are_no_words_are_refused(files, tmp_path):
    table = pq.read_table(tmp_path / "found.parquet")
    wrong = pa.array([b"\xff\xfe", b"a", b"b"], pa.binary()).view(pa.string())
    pq.write_table(table.set_column(1, "defect", wrong), tmp_path / "found.parquet")
    with pytest.raises(DatasetError, match="damaged"):
        files["found"]()


def test_there_is_a_bound_on_rows(files, monkeypatch):
    monkeypatch.setattr(found_file, "LARGEST", 2)
    monkeypatch.setattr(log_file, "LARGEST", 1)
    with pytest.raises(DatasetError, match="3 rows, at most 2"):
        files["found"]()
    with pytest.raises(DatasetError, match="2 rows, at most 1"):
        files["log"]()


@pytest.mark.parametrize("unit", [-1, 3, 2**31 - 1])
def test_a_defect_of_a_unit_that_is_not_there_is_refused(files, tmp_path, unit):
    """Counting defects by unit would else take memory for two thousand million of them."""
    write_found(tmp_path / "found.parquet", [dataclasses.replace(DEFECTS[0], unit=unit)])
    with pytest.raises(DatasetError, match="a unit that the run does not have"):
        files["found"]()
