"""A line as a Sparkplug B edge node: bytes as another program writes them, and live through a real broker."""
from __future__ import annotations

import asyncio
import contextlib
import math
import shutil
import socket
import subprocess
import threading
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from events_run import line, outcomes, run

pytest.importorskip("google.protobuf")
mqtt = pytest.importorskip("paho.mqtt.client")

from generators.events import live  # noqa: E402
from generators.events.channels import ArrayReadings  # noqa: E402
from generators.events.replay import Scenery  # noqa: E402
from generators.events.sparkplug import LineNode  # noqa: E402
from generators.events.sparkplug_payload import (  # noqa: E402
    BOOLEAN,
    FLOAT,
    INT32,
    STRING,
    UINT64,
    Metric,
    encode,
    payload_class,
    rebirth_wanted,
)
from scenes.errors import BackendError, InputError  # noqa: E402

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
NODE = "spBv1.0/Demo:SMT/{}/Line 3"

# Written by pysparkplug 0.6.1, whose code protoc made from Eclipse Tahu's sparkplug_b.proto.
TAHU = bytes.fromhex(
    "08809e87e9ca3312460a0e6e6f7a7a6c65332f76616375756d100c18809e87e9ca3320094a240a0b497353696d756c617465640a07656e"
    "67556e69741204080b38011206080c420250616540409cc7122a0a055374617465100918809e87e9ca3320034a130a0b497353696d756c"
    "617465641204080b3801509a11123e0a084c617374556e6974100b18809e87e9ca33200c4a130a0b497353696d756c617465641204080b"
    "38017a1253494d2d4c696e655f332d3030303030313712470a117a6f6e65372f74656d7065726174757265101318809e87e9ca33200938"
    "014a250a0b497353696d756c617465640a07656e67556e69741204080b38011207080c4203c2b043122e0a066f6666736574101418809e"
    "87e9ca3320034a130a0b497353696d756c617465641204080b380150fbffffff0f1803")
REBIRTH = bytes.fromhex("121a0a144e6f646520436f6e74726f6c2f526562697274682 00b7001".replace(" ", ""))


def scenery() -> Scenery:
    """Channel c reads 1000 c + t."""
    times = np.arange(0.0, 500.0)
    names = [s.channel for s in line().sensors]
    return Scenery(run(), ArrayReadings(names, times, times[:, None] + 1000.0 * np.arange(len(names))), outcomes())


def test_bytes_as_another_program_writes_them():
    metrics = [Metric("nozzle3/vacuum", FLOAT, -80000.5, 12, "Pa"), Metric("State", INT32, 2202, 9),
               Metric("LastUnit", STRING, "SIM-Line_3-0000017", 11), Metric("zone7/temperature", FLOAT, math.nan, 19, "°C"),
               Metric("offset", INT32, -5, 20)]
    assert encode(metrics, 1772431200000, 3, birth=True) == TAHU


def test_data_goes_by_alias_and_is_marked():
    payload = payload_class().FromString(encode([Metric("State", INT32, 1000, 9), Metric("bdSeq", UINT64, 7)], 5, 255))
    by_alias, by_name = payload.metrics
    assert not by_alias.HasField("name") and by_alias.alias == 9 and by_alias.int_value == 1000
    assert by_name.name == "bdSeq" and by_name.long_value == 7 and payload.seq == 255
    for metric in payload.metrics:
        assert list(metric.properties.keys) == ["IsSimulated"] and metric.properties.values[0].boolean_value


def test_only_a_rebirth_is_obeyed():
    assert rebirth_wanted(REBIRTH)
    assert not rebirth_wanted(encode([Metric("Node Control/Rebirth", BOOLEAN, False)], 0, None))
    assert not rebirth_wanted(encode([Metric("Node Control/Reboot", BOOLEAN, True)], 0, None))
    for junk in (b"", b"\xff" * 50, bytes(70_000), REBIRTH + bytes(70_000), b"{}"):
        assert not rebirth_wanted(junk)


class Listener:
    """A plain MQTT client that keeps what it hears."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, object]] = []
        self._port = port
        self._ready = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._hear

    def _hear(self, client, userdata, message) -> None:
        if "/NCMD/" not in message.topic:                                 # its own commands, some of them junk
            self.heard.append((message.topic, payload_class().FromString(message.payload)))

    def __enter__(self) -> Listener:
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        self.client.subscribe("spBv1.0/#", qos=1)
        assert self._ready.wait(10)
        return self

    def __exit__(self, *error: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def wait(self, kind: str, count: int = 1, seconds: float = 10.0) -> list[object]:
        """Payloads of a kind, once there are as many."""
        end = time.monotonic() + seconds
        while len(found := self.of(kind)) < count:
            assert time.monotonic() < end, f"{kind}: {len(found)} of {count}; heard {[t for t, _ in self.heard]}"
            time.sleep(0.01)
        return found

    def of(self, kind: str, device: str = "") -> list[object]:
        parts = [(t.split("/"), p) for t, p in self.heard]
        return [p for t, p in parts if t[2] == kind and (not device or t[4:] == [device])]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def amqtt():
    """A broker in a thread of its own, on this computer only."""
    broker_of = pytest.importorskip("amqtt.broker")
    number, loop, up, brokers = free_port(), asyncio.new_event_loop(), threading.Event(), []

    async def start() -> None:
        brokers.append(broker_of.Broker({
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{number}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}}))
        await brokers[0].start()

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        up.set()
        loop.run_forever()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert up.wait(20)
    yield number
    asyncio.run_coroutine_threadsafe(brokers[0].shutdown(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@contextlib.contextmanager
def mosquitto():
    """The broker of Eclipse, where Debian's package is installed; without a configuration it listens on this computer only."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed")
    number = free_port()
    with subprocess.Popen([program, "-p", str(number)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", number)):
                break
            time.sleep(0.05)
        yield number
        process.terminate()


@pytest.fixture(scope="module", params=[amqtt, mosquitto], ids=lambda broker: broker.__name__)
def port(request):
    with request.param() as number:
        yield number


def test_births_come_first_and_name_everything(port):
    with Listener(port) as listener:
        with LineNode(scenery(), START, port=port):
            listener.wait("DBIRTH", 6)
        listener.wait("NDEATH")
    topics = [t for t, _ in listener.heard]
    assert topics[:7] == [NODE.format("NBIRTH"), *(f"{NODE.format('DBIRTH')}/{s.station}" for s in line().stations)]
    assert [p.seq for _, p in listener.heard[:7]] == list(range(7))
    birth = listener.heard[0][1]
    assert [m.name for m in birth.metrics] == ["bdSeq", "Node Control/Rebirth", "RunTime"]
    reflow, = listener.of("DBIRTH", "reflow")
    assert [m.name for m in reflow.metrics] == ["State", "UnitsFinished", "LastUnit", "zone1/temperature", "zone7/temperature",
                                               "conveyor/speed"]
    assert reflow.metrics[4].properties.values[1].string_value == "°C" and reflow.metrics[4].float_value == 3000.0
    aliases = [m.alias for _, p in listener.heard[:7] for m in p.metrics if m.HasField("alias")]
    assert len(set(aliases)) == len(aliases)
    assert birth.timestamp == START.timestamp() * 1000
    assert all(m.properties.keys[0] == "IsSimulated" and m.properties.values[0].boolean_value
               for _, p in listener.heard for m in p.metrics)
    assert "GroundTruth" not in str(listener.heard)


def test_a_client_reads_live_values_that_are_those_of_the_run(port):
    told = []
    with Listener(port) as listener:
        count = live.serve(run(), "sparkplug", START, readings=scenery().readings, port=port, speed=10_000.0, period=0.01,
                           progress=lambda now, end: told.append((now, end)), ready=told.append)
        listener.wait("NDEATH")
    assert count == 6 and told[0] == f"mqtt://127.0.0.1:{port}/{NODE.format('NBIRTH')}"
    assert told[1:] == [(t, 500.0) for t in (0.0, 100.0, 200.0, 300.0, 400.0, 500.0)]
    placement = listener.of("DBIRTH", "placement")[0]
    alias = {m.name: m.alias for m in placement.metrics}
    seen = [{m.alias: m for m in p.metrics} for p in listener.of("DDATA", "placement")]
    vacuum = [p[alias["nozzle3/vacuum"]].float_value for p in seen if alias["nozzle3/vacuum"] in p]
    assert vacuum == [100.0, 200.0, 300.0, 400.0, 499.0]                  # the last reading is of second 499
    states = [p[alias["State"]].int_value for p in seen if alias["State"] in p]
    assert states == [5300, 1000]                                         # repaired at 100 s, productive at 200 s; then no change
    finished = [p[alias["UnitsFinished"]].int_value for p in seen if alias["UnitsFinished"] in p]
    assert finished == [2]                                                # units 0 and 1, at 57 s and 82 s


def test_sequence_numbers_wrap_and_deaths_match_births(port):
    with Listener(port) as listener:
        node = LineNode(scenery(), START, port=port)
        for _ in range(2):
            with node:
                for second in range(1, 85):
                    node.show(node.scenery.at(float(second)))
        listener.wait("NDEATH", 2)
    births, deaths = listener.of("NBIRTH"), listener.of("NDEATH")
    assert [b.metrics[0].long_value for b in births] == [d.metrics[0].long_value for d in deaths] == [0, 1]
    assert [b.metrics[0].name for b in births] == ["bdSeq"] * 2 and not any(d.HasField("seq") for d in deaths)
    second = max(i for i, (t, _) in enumerate(listener.heard) if "/NBIRTH/" in t)
    numbers = [p.seq for t, p in listener.heard[:second] if "/NDEATH/" not in t]
    assert len(numbers) > 256 and numbers == [i % 256 for i in range(len(numbers))]
    assert len(listener.of("DDEATH")) == 12


def test_the_broker_tells_the_death_of_a_node_that_vanished(port):
    with Listener(port) as listener:
        node = LineNode(scenery(), START, port=port)
        node.connect()
        listener.wait("DBIRTH", 6)
        node._client.socket().shutdown(socket.SHUT_RDWR)                  # the cable is cut
        death, = listener.wait("NDEATH")
        assert death.metrics[0].long_value == 0 and not listener.of("DDEATH")
        assert node._lost.wait(10)
        with pytest.raises(BackendError, match="the broker is gone"):
            node.show(node.scenery.at(50.0))
        node.close()


def test_births_are_repeated_when_asked_for(port, monkeypatch):
    monkeypatch.setattr("generators.events.sparkplug.PATIENCE", 0.0)
    with Listener(port) as listener, LineNode(scenery(), START, port=port, truth=True):
        listener.wait("DBIRTH", 6)
        listener.client.publish(NODE.format("NCMD"), b"\xff\xfe not a payload", qos=1)
        listener.client.publish(NODE.format("NCMD"), REBIRTH, qos=1)
        first, second = listener.wait("NBIRTH", 2)
        listener.wait("DBIRTH", 12)
    assert second.seq == 0 and second.metrics[0].long_value == first.metrics[0].long_value == 0
    assert [m.name for m in first.metrics[3:]] == ["GroundTruth/nozzle3-wear", "GroundTruth/zone7"]   # asked for


def test_stop_ends_it_at_once(port):
    stop = threading.Event()
    begun = time.monotonic()
    count = live.serve(run(), "sparkplug", START, port=port, speed=1.0, period=100.0, stop=stop, progress=lambda *_: stop.set())
    assert count == 1 and time.monotonic() - begun < 50.0


def test_no_broker_is_said_so():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
        with pytest.raises(BackendError, match="no broker answers"), LineNode(scenery(), START, port=number):
            pass


def test_ids_that_mqtt_cannot_carry_are_refused():
    wild = scenery()
    object.__setattr__(wild.run, "line", line().__class__(**{**vars(line()), "path": "Demo/SMT/Line #3"}))
    with pytest.raises(InputError, match="MQTT cannot carry"):
        LineNode(wild, START)
    with pytest.raises(InputError, match="time zone"):
        LineNode(scenery(), datetime(2026, 1, 1))
    with pytest.raises(InputError, match="speed"):
        live.serve(run(), "opcua", START, port=0, speed=0.0)
