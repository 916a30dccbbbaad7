"""sparkplug: a line as an edge node of MQTT Sparkplug B (specification 3.0), replayed at the speed of your choice. Needs the
extra ``live``.

The line is the edge node, its stations are the devices, what lies above it in ISA-95 is the group, joined by colons because
MQTT gives "/" a meaning: ``spBv1.0/Demo:SMT/DDATA/Line 3/placement`` carries ``nozzle3/vacuum``. Every metric has the property
``IsSimulated``, and it is true. Births name metrics, their units and aliases; data goes by alias and only where it changed.
Commands other than "Node Control/Rebirth" are not obeyed.
"""
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from generators.events.replay import Moment, Scenery
from generators.events.sparkplug_payload import (
    BOOLEAN,
    DOUBLE,
    FLOAT,
    INT32,
    STRING,
    UINT32,
    UINT64,
    Metric,
    encode,
    rebirth_wanted,
)
from scenes.errors import BackendError, BackendUnavailable, InputError

WAIT = 10.0                                    # [s] at most for the broker to answer
KEEP_ALIVE = 30                                # [s]
PATIENCE = 1.0                                 # [s] between two births: whoever may publish commands could ask for thousands


class LineNode:
    """A line as an edge node. Use it with ``with``, and give it moments.

    Args:
        scenery: The run.
        start: The moment of its second 0, with its time zone; payloads carry simulated time.
        host, port: Of the broker.
        user, password: Where it asks for them.
        tls: Encrypt, and check the broker's certificate against the system's authorities.
        truth: Also publish the severity of every drift, as metrics of the node.

    Raises:
        BackendUnavailable: paho or protobuf is not installed.
        BackendError: the broker does not answer, refuses, or goes away.
        InputError: a start without time zone, or an id that MQTT cannot carry.
    """

    def __init__(self, scenery: Scenery, start: datetime, *, host: str = "127.0.0.1", port: int = 1883, user: str = "",
                 password: str = "", tls: bool = False, truth: bool = False) -> None:
        if start.tzinfo is None:
            raise InputError("start: has no time zone; give one, for example datetime(…, tzinfo=UTC)")
        self.scenery, self.start, self.host, self.port, self.truth = scenery, start, host, port, truth
        self._login = (user, password, tls)
        above, _, self.node = scenery.run.line.path.rpartition("/")
        self.group = above.replace("/", ":") or "linetwin"
        for part in (self.group, self.node, *(s.station for s in scenery.run.line.stations)):
            if any(c in part for c in "+#/") or not part:
                raise InputError(f"'{part}': MQTT cannot carry this id; use no '+', '#' or '/' in it")
        self._lock = threading.RLock()         # births may be asked for while data goes out
        self._seq = 0
        self._born = 0.0                       # [s] of the monotonic clock
        self._births = -1                      # bdSeq: which birth this is, the same in its death certificate
        self._sent: dict[str, tuple[Metric, ...]] = {}
        self._last = scenery.at(0.0)
        self._lost = threading.Event()
        self._closing = False

    def topic(self, kind: str, device: str = "") -> str:
        """``spBv1.0/group/kind/node`` or ``…/device``."""
        return "/".join(p for p in ("spBv1.0", self.group, kind, self.node, device) if p)

    def __enter__(self) -> LineNode:
        self.connect()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def connect(self) -> None:
        """Leave a death certificate with the broker, connect, and publish the births."""
        try:
            from paho.mqtt import client as mqtt
        except ImportError:
            raise BackendUnavailable("paho-mqtt is not installed; install the extra: pip install 'linetwin[live]'") from None
        self._births = (self._births + 1) % 256
        self._closing = False
        self._lost.clear()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, clean_session=True,
                             reconnect_on_failure=False)
        user, password, tls = self._login
        if user:
            client.username_pw_set(user, password)
        if tls:
            client.tls_set()
        client.will_set(self.topic("NDEATH"), self._death(), qos=1, retain=False)
        answered = threading.Event()
        refused: list[str] = []

        def connected(client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
            if reason.is_failure:
                refused.append(str(reason))
            answered.set()

        def disconnected(client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
            self._lost.set()
            answered.set()

        client.on_connect, client.on_disconnect, client.on_message = connected, disconnected, self._command
        where = f"{self.host}:{self.port}"
        try:
            client.connect(self.host, self.port, KEEP_ALIVE)
        except (OSError, ValueError) as error:
            raise BackendError(f"{where}: no broker answers ({error}); start one, or give its address") from None
        client.loop_start()
        self._client = client
        if not answered.wait(WAIT) or refused or self._lost.is_set():
            self._closing = True
            client.disconnect()
            client.loop_stop()
            reason = refused[0] if refused else "no answer"
            raise BackendError(f"{where}: the broker refuses ({reason}); check the address and the login")
        client.subscribe(self.topic("NCMD"), qos=1)
        self._bear()

    def show(self, moment: Moment) -> None:
        """Publish what changed. Raises BackendError."""
        with self._lock:
            self._last = moment
            for device, metrics in self._metrics(moment):
                before = self._sent.get(device)
                changed = tuple(m for m, old in zip(metrics, before or metrics, strict=True) if not before or not _same(m, old))
                if changed:
                    self._publish(self.topic("DDATA" if device else "NDATA", device), changed)
                self._sent[device] = metrics

    def close(self) -> None:
        """Publish the death certificate and go."""
        with self._lock:
            self._closing = True
            sent = None
            if not self._lost.is_set():
                for station in self.scenery.run.line.stations:
                    self._publish(self.topic("DDEATH", station.station), ())
                sent = self._client.publish(self.topic("NDEATH"), self._death(), qos=1)
        if sent is not None:                   # not within the lock: the thread that sends may be waiting for it
            sent.wait_for_publish(WAIT)
        self._client.disconnect()
        self._client.loop_stop()

    def _bear(self) -> None:
        """The node's birth, with sequence number 0, and the births of its devices."""
        with self._lock:
            if self._closing:
                return
            self._born = time.monotonic()
            self._seq = 0
            for device, metrics in self._metrics(self._last):
                if not device:
                    metrics = (Metric("bdSeq", UINT64, self._births), Metric("Node Control/Rebirth", BOOLEAN, False), *metrics)
                self._publish(self.topic("DBIRTH" if device else "NBIRTH", device), metrics, birth=True)
                self._sent[device] = metrics[0 if device else 2:]

    def _death(self) -> bytes:
        """No sequence number, and the birth's bdSeq."""
        return encode([Metric("bdSeq", UINT64, self._births)], self._time_ms(), None)

    def _command(self, client: Any, userdata: Any, message: Any) -> None:
        if rebirth_wanted(message.payload) and time.monotonic() - self._born >= PATIENCE:
            self._bear()

    def _metrics(self, moment: Moment) -> Iterator[tuple[str, tuple[Metric, ...]]]:
        """Of the node, then of every device. Aliases are unique in the node, and the same in every moment."""
        line = self.scenery.run.line
        alias = 0
        node = [Metric("RunTime", DOUBLE, moment.time, alias, "s")]
        for i, drift in enumerate(line.drifts if self.truth else ()):
            alias += 1
            node.append(Metric(f"GroundTruth/{drift.id}", DOUBLE, float(moment.severity[i]), alias))
        yield "", tuple(node)
        values = moment.values.tolist()
        for i, station in enumerate(line.stations):
            found = []
            for name, kind, value in (("State", INT32, moment.states[i]), ("UnitsFinished", UINT32, moment.finished[i]),
                                      ("LastUnit", STRING, moment.units[i])):
                alias += 1
                found.append(Metric(name, kind, value, alias))
            for sensor, reading in zip(self.scenery.sensors, values, strict=True):
                if sensor.station == station.station:
                    alias += 1
                    name = sensor.channel.removeprefix(f"{station.station}/")
                    found.append(Metric(name, FLOAT, reading, alias, sensor.unit))
            yield station.station, tuple(found)

    def _publish(self, topic: str, metrics: tuple[Metric, ...], *, birth: bool = False) -> None:
        if self._lost.is_set():
            raise BackendError(f"{self.host}:{self.port}: the broker is gone; connect again")
        self._client.publish(topic, encode(metrics, self._time_ms(), self._seq, birth=birth), qos=0, retain=False)
        self._seq = (self._seq + 1) % 256

    def _time_ms(self) -> int:
        return round((self.start + timedelta(seconds=self._last.time)).timestamp() * 1000)


def _same(one: Metric, other: Metric) -> bool:
    """NaN is the same as NaN."""
    return one.value == other.value or (one.value != one.value and other.value != other.value)


__all__ = ["LineNode"]
