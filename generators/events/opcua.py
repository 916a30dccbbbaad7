"""opcua: a line on an OPC UA server, read only, replayed at the speed of your choice. Needs the extra ``live``.

The browse path below Objects is the ISA-95 id, and so is the string id of every node:
``Demo/SMT/Line 3/placement/nozzle3/vacuum``. A station has its state (SEMI E10), how many units it has finished and the last of
them; a station that judges units and whose calls are known has a ``LatestResult`` with the fields of OPC 40100-1 (Machine
Vision). Every object and every variable has a property ``IsSimulated`` that is true, and the namespace says it too. What wears is
not shown, unless ground truth is asked for.

The server listens on this computer only, unless told otherwise: it has no users, no passwords and no encryption. Nobody can
write.
"""
from __future__ import annotations

import math
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

from generators.dataset.schema import canonical
from generators.events.replay import Moment, Scenery
from scenes.errors import BackendError, BackendUnavailable, InputError
from scenes.line.model import Sensor, StationFlow

if TYPE_CHECKING:
    from asyncua import Node, Server

NAMESPACE = "urn:linetwin:simulated-line"
CONNECTIONS, SUBSCRIPTIONS = 32, 128           # at most, of all clients
MESSAGE = 1 << 20                              # [bytes] that a client may send at once
_RESULT = ("IsPartial", "ResultState", "MeasId", "PartId", "ExternalRecipeId", "JobId", "ResultContent")


class LineServer:
    """An OPC UA server of one line. Use it with ``async with``, and give it moments.

    Args:
        scenery: The run.
        start: The moment of its second 0, with its time zone; the source time of every value.
        host: Where to listen.
        port: 0 takes a free one, see ``url``.
        truth: Also show the severity of every drift.

    Raises:
        BackendUnavailable: asyncua is not installed.
        BackendError: the port is taken or the address is not ours.
        InputError: a start without time zone.
    """

    def __init__(self, scenery: Scenery, start: datetime, *, host: str = "127.0.0.1", port: int = 4840,
                 truth: bool = False) -> None:
        if start.tzinfo is None:
            raise InputError("start: has no time zone; give one, for example datetime(…, tzinfo=UTC)")
        self.scenery, self.start, self.host, self.port, self.truth = scenery, start, host, port, truth
        self.shown = -1.0                      # [s] the last moment
        self._nodes: dict[str, Any] = {}       # ISA-95 id: node id of the variable

    @property
    def url(self) -> str:
        return f"opc.tcp://{self.host}:{self.port}/linetwin/"

    async def __aenter__(self) -> LineServer:
        try:
            from asyncua import Server, ua
        except ImportError:
            raise BackendUnavailable("asyncua is not installed; install the extra: pip install 'linetwin[live]'") from None
        self._ua: Any = ua
        self._listening()
        everybody: Any = _Readers()
        self._server: Server = Server(user_manager=everybody)
        await self._server.init()
        self._server.set_endpoint(self.url)
        self._server.set_server_name("linetwin: a simulated line")
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity], permission_ruleset=_reading())
        self._server.set_identity_tokens([ua.AnonymousIdentityToken])
        self._server.allow_remote_admin(False)
        inner = self._server.iserver
        inner.max_connections, inner.max_subscriptions = CONNECTIONS, SUBSCRIPTIONS
        self._server.limits.max_message_size = MESSAGE
        try:
            self._space = await self._server.register_namespace(NAMESPACE)
            await self._build()
            await self.show(self.scenery.at(0.0))
            await self._server.start()
        except BaseException:
            await self._server.stop()
            raise
        if self.port == 0 and self._server.bserver is not None:
            self.port = int(self._server.bserver.port)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._server.stop()

    def _listening(self) -> None:
        """Try the address before the seconds that the standard's own nodes take to load."""
        try:
            socket.create_server((self.host, self.port)).close()
        except OSError as error:
            raise BackendError(f"{self.url}: cannot listen ({error.strerror}); choose another port or address") from None

    async def show(self, moment: Moment) -> None:
        """Set every variable to what it is at this moment."""
        when = self.start + timedelta(seconds=moment.time)
        ua, line = self._ua, self.scenery.run.line
        for sensor, value in zip(self.scenery.sensors, moment.values.tolist(), strict=True):
            status = ua.StatusCodes.Good if math.isfinite(value) else ua.StatusCodes.BadNoData
            await self._set(f"{line.path}/{sensor.channel}", ua.Variant(value, ua.VariantType.Float), when, status)
        for i, station in enumerate(line.stations):
            await self._set(f"{station.path}/State", ua.Variant(moment.states[i], ua.VariantType.Int32), when)
            await self._set(f"{station.path}/UnitsFinished", ua.Variant(moment.finished[i], ua.VariantType.UInt32), when)
            await self._set(f"{station.path}/LastUnit", ua.Variant(moment.units[i], ua.VariantType.String), when)
            if self._inspects(station) and moment.units[i]:
                for name, value in self._result(moment, i).items():
                    await self._set(f"{station.path}/LatestResult/{name}", value, when)
        if self.truth:
            for drift, severity in zip(line.drifts, moment.severity.tolist(), strict=True):
                await self._set(f"{line.path}/GroundTruth/{drift.id}", ua.Variant(severity, ua.VariantType.Double), when)
        self.shown = moment.time

    async def _set(self, path: str, value: Any, when: datetime, status: int = 0) -> None:
        data = self._ua.DataValue(value, self._ua.StatusCode(status), SourceTimestamp=when)
        await self._server.write_attribute_value(self._nodes[path], data)

    def _result(self, moment: Moment, i: int) -> Mapping[str, Any]:
        """Fields of OPC 40100-1's Result type. State 1 is "completed"."""
        ua, kinds = self._ua, self._ua.VariantType
        calls = [canonical({"defect": c.defect, "component": c.component,
                            "severity": c.severity if math.isfinite(c.severity) else None}) for c in moment.calls[i]]
        name = self.scenery.run.line.stations[i].station
        values = (ua.Variant(False, kinds.Boolean), ua.Variant(1, kinds.Int32),
                  ua.Variant(f"{name}-{moment.finished[i]}", kinds.String), ua.Variant(moment.units[i], kinds.String),
                  ua.Variant("", kinds.String), ua.Variant("", kinds.String), ua.Variant(calls, kinds.String, is_array=True))
        return dict(zip(_RESULT, values, strict=True))

    async def _build(self) -> None:
        """All nodes, without values."""
        line, ua = self.scenery.run.line, self._ua
        objects: dict[str, Node] = {"": self._server.nodes.objects}
        for station in line.stations:
            await self._station(objects, station)
        for sensor in self.scenery.sensors:
            path = f"{line.path}/{sensor.channel}"
            parent = await self._object(objects, path.rsplit("/", 1)[0])
            variable = await self._variable(parent, path, ua.Variant(math.nan, ua.VariantType.Float))
            await self._measured(variable, sensor)
        for drift in line.drifts if self.truth else ():
            parent = await self._object(objects, f"{line.path}/GroundTruth")
            await self._variable(parent, f"{line.path}/GroundTruth/{drift.id}", ua.Variant(0.0, ua.VariantType.Double))
        await self._object(objects, line.path)
        about = await self._server.nodes.namespaces.add_object(ua.NodeId(NAMESPACE, self._space), f"{self._space}:{NAMESPACE}")
        await about.add_property(self._space, "NamespaceUri", NAMESPACE)
        await self._mark(about, NAMESPACE)

    async def _station(self, objects: dict[str, Node], station: StationFlow) -> None:
        ua, kinds = self._ua, self._ua.VariantType
        node = await self._object(objects, station.path)
        await self._variable(node, f"{station.path}/State", ua.Variant(0, kinds.Int32))
        await self._variable(node, f"{station.path}/UnitsFinished", ua.Variant(0, kinds.UInt32))
        await self._variable(node, f"{station.path}/LastUnit", ua.Variant("", kinds.String))
        if self._inspects(station):
            result = await self._object(objects, f"{station.path}/LatestResult")
            empty = (ua.Variant(False, kinds.Boolean), ua.Variant(0, kinds.Int32),
                     *(ua.Variant("", kinds.String) for _ in range(4)), ua.Variant([], kinds.String, is_array=True))
            for name, value in zip(_RESULT, empty, strict=True):
                await self._variable(result, f"{station.path}/LatestResult/{name}", value)

    def _inspects(self, station: StationFlow) -> bool:
        return station.station in self.scenery.judges

    async def _object(self, objects: dict[str, Node], path: str) -> Node:
        """The object of an ISA-95 id, and those above it."""
        if path not in objects:
            above, _, name = path.rpartition("/")
            parent = await self._object(objects, above)
            objects[path] = await parent.add_object(self._ua.NodeId(path, self._space), f"{self._space}:{name}")
            await self._mark(objects[path], path)
        return objects[path]

    async def _variable(self, parent: Node, path: str, value: Any) -> Node:
        node = await parent.add_variable(self._ua.NodeId(path, self._space), f"{self._space}:{path.rsplit('/', 1)[-1]}", value)
        self._nodes[path] = node.nodeid
        await self._mark(node, path)
        return node

    async def _mark(self, node: Node, path: str) -> None:
        await node.add_property(self._ua.NodeId(f"{path}#IsSimulated", self._space), f"{self._space}:IsSimulated", True)

    async def _measured(self, variable: Node, sensor: Sensor) -> None:
        """Unit and range, as OPC UA's analog items have them."""
        ua = self._ua
        text = ua.LocalizedText(sensor.unit)
        unit = ua.EUInformation(NamespaceUri=NAMESPACE, UnitId=-1, DisplayName=text, Description=text)
        await variable.add_property(self._space, "EngineeringUnits", unit)
        if math.isfinite(sensor.low) and math.isfinite(sensor.high):
            await variable.add_property(self._space, "EURange", ua.Range(sensor.low, sensor.high))


class _Readers:
    """Everybody may read, nobody is an administrator."""

    def get_user(self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None) -> Any:
        from asyncua.crypto.permission_rules import User, UserRole
        return User(role=UserRole.User, name="reader")


def _reading() -> Any:
    """Rules that let users browse, read and subscribe, and nothing else."""
    import asyncua
    from asyncua.crypto.permission_rules import USER_TYPES, PermissionRuleset

    ua: Any = asyncua.ua
    refused = (ua.ObjectIds.WriteRequest_Encoding_DefaultBinary, ua.ObjectIds.CallRequest_Encoding_DefaultBinary)
    allowed = {ua.NodeId(t) for t in USER_TYPES if t not in refused}

    class Reading(PermissionRuleset):
        def check_validity(self, user: Any, action_type_id: Any, body: Any) -> bool:
            return action_type_id in allowed

    return Reading()


__all__ = ["NAMESPACE", "LineServer"]
