"""Readings of many channels as one wide table: exact, in groups of an hour, one group in memory."""
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from events_run import line

from generators.events import channels
from generators.events.channels import GROUP, ArrayReadings, ChannelFile, write_channels
from scenes.errors import DatasetError, SceneError
from scenes.line import authored
from scenes.line.model import Sensor

NAMES = [s.channel for s in line().sensors]


def readings(rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(200, 20, (rows, len(NAMES))), 1).astype(np.float32)
    values[rng.random(values.shape) < 0.01] = np.nan                      # drop-outs
    return np.arange(rows, dtype=float), values


def pieces(times, values, sizes):
    at = 0
    for size in sizes:
        yield times[at:at + size], values[at:at + size]
        at += size


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channels")
    times, values = readings(9000)
    write_channels(folder, line(), pieces(times, values, [1, 0, 4000, 3599, 1400]))
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
    with pytest.raises(DatasetError, match="damaged"), ChannelFile(tmp_path) as file:
        file.read()


def test_a_table_of_other_columns_is_refused(tmp_path):
    path, about = tmp_path / "channels.parquet", {"linetwin": "{}"}
    times = pa.array(np.arange(10.0))
    good = pa.table({"time": times, "a": pa.array(np.zeros(10, np.float32))}).replace_schema_metadata(about)
    backwards = pa.table({"time": pa.array(np.arange(10.0)[::-1]), "a": good["a"]}).replace_schema_metadata(about)
    pq.write_table(good, path, write_statistics=False)
    with ChannelFile(tmp_path) as file:
        assert file.read()[1].shape == (10, 1)
    for table, more, message in (
            (good.replace_schema_metadata(None), {}, "not a table of channels"),
            (good.rename_columns(["t", "a"]).replace_schema_metadata(about), {}, "not a table of channels"),
            (good.set_column(1, "a", pa.array(["x"] * 10)).replace_schema_metadata(about), {}, "not a table of channels"),
            (good.set_column(0, "time", pa.array(range(10))).replace_schema_metadata(about), {}, "not a table of channels"),
            (good.append_column("a", good["a"]).replace_schema_metadata(about), {}, "different names"),
            (pa.concat_tables([good] * 400), {}, "1 to 3600 rows"),
            (backwards, {"row_group_size": 5}, "times do not increase"),
            (pa.concat_tables([good] * 2), {"row_group_size": 10}, "times do not increase")):
        pq.write_table(table, path, **more)
        with pytest.raises(DatasetError, match=message):
            ChannelFile(tmp_path)


def test_there_is_a_bound_on_rows(written, monkeypatch):
    monkeypatch.setattr(channels, "LARGEST", 8999)
    with pytest.raises(DatasetError, match="9000 rows, at most 8999"):
        ChannelFile(written[0])


def test_a_line_has_no_more_channels_than_its_table():
    """Refused when the scene is read, not after a day's run."""
    def placer(name: str, *sensors: authored.ChannelsFile) -> SimpleNamespace:
        return SimpleNamespace(id=name, kind="placement", sensors=sensors)

    feeders = authored.ChannelsFile(quantity="motor_current", modules=tuple(f"feeder{n}" for n in range(1, 13)), unit="A")
    nozzles = authored.ChannelsFile(quantity="vacuum", modules=("nozzle1", "nozzle2", "nozzle3", "nozzle4"), unit="Pa")
    most = [placer(f"p{k}", feeders, nozzles) for k in range(authored.CHANNELS // 16)]
    assert len(authored._sensors(Path("s.yaml"), most)) == authored.CHANNELS == 4096
    one = authored.ChannelsFile(quantity="power", unit="W")
    with pytest.raises(SceneError, match=r"stations\.256\.sensors\.0: more than 4096 channels"):
        authored._sensors(Path("s.yaml"), [*most, placer("last", one)])


def test_an_unknown_channel_names_known_ones(written):
    with ChannelFile(written[0]) as file, pytest.raises(DatasetError, match="no channel 'zone7'; there are placement/nozzle3"):
        file.read(["zone7"])
