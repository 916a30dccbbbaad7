"""A run goes to Parquet and comes back bit by bit; what is not whole is refused."""
from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from events_run import line, outcomes, run

from generators.events import tables
from generators.events.outcomes import Call, Outcomes
from generators.events.tables import read_line, read_outcomes, read_run, write_run
from scenes.errors import DatasetError, InvariantError, StorageError
from scenes.line.model import Event, Line, Run, StationFlow


def same(one: Run, other: Run) -> None:
    for field in dataclasses.fields(Run):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype and a.shape == b.shape, field.name
            assert a.tobytes() == b.tobytes(), field.name
        else:
            assert a == b, field.name


def test_a_run_comes_back_bit_by_bit(tmp_path):
    write_run(run(), tmp_path / "run")
    same(read_run(tmp_path / "run"), run())
    assert read_line(tmp_path / "run") == line()
    assert read_outcomes(tmp_path / "run") is None


def test_every_field_of_a_run_is_kept():
    """A field that somebody adds to Run must be added to the tables too."""
    assert {f.name for f in dataclasses.fields(Run)} == {
        "line", "duration", "arrive", "start", "finish", "leave", "events", "times", "severity", "remaining", "since_wipe"}
    assert [f.name for f in dataclasses.fields(Event)] == tables.EVENTS.names


@pytest.mark.parametrize("seed", range(5))
def test_random_runs_come_back(tmp_path, seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(0, 60)), 6)
    times = [np.where(rng.random(shape) < 0.3, np.nan, rng.exponential(1e4, shape)) for _ in range(4)]
    looks = int(rng.integers(0, 9))
    made = Run(line(), 1e5, *times, (), np.sort(rng.random(looks)), rng.random((looks, 2)), rng.random((looks, 2)),
               rng.integers(0, 30, shape[0]).astype(np.int32))
    same(read_run(write_run(made, tmp_path)), made)


def test_a_line_without_drifts_and_a_run_without_units(tmp_path):
    bare = Line("P/L", 10.0, (StationFlow("a", "aoi", "P/L/a", (), 5.0),))
    made = Run(bare, 0.0, *(np.empty((0, 1)) for _ in range(4)), (), np.array([0.0, 60.0]), np.empty((2, 0)), np.empty((2, 0)),
               np.empty(0, np.int32))
    same(read_run(write_run(made, tmp_path)), made)


def test_the_same_run_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_run(run(), tmp_path / name, outcomes())
    files = sorted(os.listdir(tmp_path / "one"))
    assert files == sorted(["run.json", "visits.parquet", "units.parquet", "events.parquet", "drifts.parquet", "calls.parquet",
                            "pastes.parquet"])
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_outcomes_come_back_and_units_count_them(tmp_path):
    write_run(run(), tmp_path, outcomes())
    back = read_outcomes(tmp_path)
    assert back.pastes == outcomes().pastes
    assert back.calls[1:] == outcomes().calls[1:] and np.isnan(back.calls[0].severity)
    assert back.defects.tolist() == [1, 1, 0]
    units = pq.read_table(tmp_path / "units.parquet").to_pydict()     # by eye: unit 1 has two real calls and a false one
    assert units == {"unit": [0, 1, 2], "since_wipe": [9, 10, 1], "defects": [1, 1, 0], "called": [1, 2, 0],
                     "false_calls": [0, 1, 0]}


def test_outcomes_that_are_partly_known(tmp_path):
    defects = np.array([0, 2, 0], np.int32)
    write_run(run(), tmp_path, Outcomes(defects=defects))
    back = read_outcomes(tmp_path)
    assert back.calls is None and back.pastes == () and back.defects.tolist() == [0, 2, 0]
    assert pq.read_table(tmp_path / "units.parquet")["called"].to_pylist() == [None] * 3
    write_run(run(), tmp_path, Outcomes(calls=()))
    back = read_outcomes(tmp_path)
    assert back.calls == () and back.defects is None
    write_run(run(), tmp_path, Outcomes(pastes=outcomes().pastes))
    assert read_outcomes(tmp_path).pastes == outcomes().pastes


def test_visits_are_plain_rows(tmp_path):
    """Another program can read what happened without us; NaN where work was not finished."""
    write_run(run(), tmp_path)
    visits = pq.read_table(tmp_path / "visits.parquet").to_pylist()
    assert len(visits) == 13
    assert visits[3] == {"unit": 0, "station": "reflow", "arrive": 57.0, "start": 57.0, "finish": 357.0, "leave": 357.0}
    assert visits[-1]["station"] == "spi" and np.isnan(visits[-1]["finish"])


def test_tables_say_what_they_are(tmp_path):
    write_run(run(), tmp_path, outcomes())
    for name in ("visits", "units", "events", "drifts", "calls", "pastes"):
        said = json.loads(pq.read_schema(tmp_path / f"{name}.parquet").metadata[b"linetwin"])
        assert said["simulated"] is True and said["line"] == "Demo/SMT/Line 3"
        assert said["stations"]["reflow"] == "Demo/SMT/Line 3/reflow"
        if name == "drifts":
            assert said["units"] == {"time": "s", "nozzle3-wear/severity": "1", "nozzle3-wear/remaining": "cycles",
                                     "zone7/severity": "1", "zone7/remaining": "s of work"}


def test_a_second_write_replaces_the_first(tmp_path):
    write_run(run(), tmp_path, outcomes())
    shorter = replace(run(), duration=100.0)
    same(read_run(write_run(shorter, tmp_path)), shorter)
    assert read_outcomes(tmp_path) is None and not (tmp_path / "calls.parquet").exists()


def test_a_write_that_breaks_leaves_no_run(tmp_path, monkeypatch):
    write_run(run(), tmp_path)
    real, count = os.replace, iter(range(100))

    def full(source, target):
        if next(count) == 2:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_run(run(), tmp_path)
    monkeypatch.undo()
    assert not list(tmp_path.glob(".*.pending"))
    with pytest.raises(DatasetError, match=r"run\.json: cannot be read"):
        read_run(tmp_path)


@pytest.mark.parametrize("name", ["visits", "units", "events", "drifts"])
def test_changed_bytes_are_refused(tmp_path, name):
    write_run(run(), tmp_path)
    path = tmp_path / f"{name}.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="its bytes are not those that were written"):
        read_run(tmp_path)
    path.unlink()
    with pytest.raises(DatasetError, match="write the run again"):
        read_run(tmp_path)


def test_run_json_is_checked(tmp_path):
    write_run(run(), tmp_path)
    path = tmp_path / "run.json"
    good = json.loads(path.read_text())
    for change, complaint in (({"extra": 1}, "extra"), ({"linetwin_run": 2}, "linetwin_run"), ({"units": -1}, "units"),
                              ({"files": {}}, "does not know it"), ({"units": 2}, "a unit is outside")):
        path.write_text(json.dumps(good | change))
        with pytest.raises(DatasetError, match=complaint):
            read_run(tmp_path)
    good["line"]["stations"][0]["colour"] = "blue"
    path.write_text(json.dumps(good))
    with pytest.raises(DatasetError, match="colour"):
        read_run(tmp_path)
    path.write_bytes(b" " * (tables.LARGEST_LINE + 1))
    with pytest.raises(DatasetError, match="larger than 16 MiB"):
        read_run(tmp_path)


def test_contradictions_are_bugs(tmp_path):
    with pytest.raises(InvariantError, match=r"run\.finish"):
        write_run(replace(run(), finish=np.zeros((3, 5))), tmp_path)
    with pytest.raises(InvariantError, match="after the last, 2"):
        write_run(run(), tmp_path, Outcomes((Call(3, "aoi", "shift", "R1", 0.0),)))
