"""Readings of many channels as one wide table: exact, in groups of an hour, one group in memory."""
from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from events_run import line

from generators.events.channels import GROUP, ArrayReadings, ChannelFile, write_channels
from scenes.errors import DatasetError
from scenes.line.model import Sensor

NAMES = [s.channel for s in line().sensors]


def readings(rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(200, 20, (rows, len(NAMES))), 1).astype(np.float32)
    values[rng.random(values.shape) < 0.01] = np.nan                      # drop-outs
    return np.arange(rows, dtype=float), values


def chunks(times, values, sizes):
    at = 0
    for size in sizes:
        yield times[at:at + size], values[at:at + size]
        at += size


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channels")
    times, values = readings(9000)
    write_channels(folder, line(), chunks(times, values, [1, 0, 4000, 3599, 1400]))
    return folder, times, values


def test_what_is_written_is_read(written):
    folder, times, values = written
    with ChannelFile(folder) as file:
        assert list(file.channels) == NAMES
        read_times, read_values = file.read()
        again = [np.concatenate(part) for part in zip(*file.chunks(), strict=True)]
    assert read_values.dtype == np.float32
    for at, what in ((read_times, read_values), again):
        assert at.tobytes() == times.tobytes() and what.tobytes() == values.tobytes()


def test_row_groups_are_hours_whatever_the_chunks(written, tmp_path):
    folder, times, values = written
    meta = pq.ParquetFile(folder / "channels.parquet").metadata
    assert [meta.row_group(g).num_rows for g in range(meta.num_row_groups)] == [GROUP, GROUP, 9000 - 2 * GROUP]
    write_channels(tmp_path, line(), [(times, values)])
    assert (tmp_path / "channels.parquet").read_bytes() == (folder / "channels.parquet").read_bytes()


def test_columns_say_what_they_are(written):
    schema = pq.read_schema(written[0] / "channels.parquet")
    assert schema.field("reflow/zone7/temperature").metadata == {
        b"path": b"Demo/SMT/Line 3/reflow/zone7/temperature", b"station": b"reflow", b"quantity": b"temperature",
        b"unit": "°C".encode(), b"simulated": b"true"}
    assert b'"simulated":true' in schema.metadata[b"linetwin"]


def test_a_part_of_it(written):
    folder, _, values = written
    with ChannelFile(folder) as file:
        times, found = file.read(["placement/power", "reflow/zone7/temperature"], 3590.0, 3610.0)
        assert times.tolist() == list(range(3590, 3610))
        np.testing.assert_array_equal(found, values[3590:3610][:, [7, 3]])
        assert file.units["placement/nozzle3/vacuum"] == "Pa"
        assert file.paths["placement/nozzle3/vacuum"] == "Demo/SMT/Line 3/placement/nozzle3/vacuum"
        assert file.read(start=1e9)[1].shape == (0, 8)


def test_the_last_reading_at_a_time(written):
    folder, times, values = written
    held = ArrayReadings(NAMES, times, values)
    with ChannelFile(folder) as file:
        for what in (file, held):
            np.testing.assert_array_equal(what.at(0.0), values[0])
            np.testing.assert_array_equal(what.at(3599.999), values[3599])
            np.testing.assert_array_equal(what.at(3600.0), values[3600])
            np.testing.assert_array_equal(what.at(1e9), values[-1])
            assert np.isnan(what.at(-0.1)).all()


def test_what_does_not_fit_is_refused(tmp_path):
    times, values = readings(10)
    with pytest.raises(DatasetError, match="times do not increase"):
        write_channels(tmp_path, line(), [(times, values), (times, values)])
    with pytest.raises(DatasetError, match="times do not increase"):
        write_channels(tmp_path, line(), [(times[::-1], values)])
    with pytest.raises(DatasetError, match=r"a chunk of shape \(10, 7\)"):
        write_channels(tmp_path, line(), [(times, values[:, :7])])
    with pytest.raises(DatasetError, match="different names"):
        write_channels(tmp_path, line(), [], [Sensor("a", "spi", "x", "1")] * 2)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DatasetError, match="not there"):
        ChannelFile(tmp_path)
    with pytest.raises(DatasetError, match="values of shape"):
        ArrayReadings(NAMES, times, values[:5])


def test_damage_is_seen(written, tmp_path):
    data = bytearray((written[0] / "channels.parquet").read_bytes())
    data[2000] ^= 255
    (tmp_path / "channels.parquet").write_bytes(data)
    with ChannelFile(tmp_path) as file, pytest.raises(DatasetError, match="damaged"):
        file.read()


def test_an_unknown_channel_names_known_ones(written):
    with ChannelFile(written[0]) as file, pytest.raises(DatasetError, match="no channel 'zone7'; there are placement/nozzle3"):
        file.read(["zone7"])
