"""A line on an OPC UA server: a client browses it by its ISA-95 id, reads what the run says, and can change nothing."""
from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from events_run import PATH, line, outcomes, run

asyncua = pytest.importorskip("asyncua")

from generators.events import live, opcua  # noqa: E402
from generators.events.channels import ArrayReadings  # noqa: E402
from generators.events.opcua import NAMESPACE, LineServer  # noqa: E402
from generators.events.replay import Scenery, moments  # noqa: E402
from scenes.errors import BackendError, InputError  # noqa: E402

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
VACUUM = f"{PATH}/placement/nozzle3/vacuum"


def readings() -> ArrayReadings:
    """Channel c reads 1000 c + t; the last channel is lost from 300 s on."""
    times = np.arange(0.0, 500.0)
    names = [s.channel for s in line().sensors]
    values = times[:, None] + 1000.0 * np.arange(len(names))
    values[300:, -1] = np.nan
    return ArrayReadings(names, times, values)


def scenery() -> Scenery:
    return Scenery(run(), readings(), outcomes())


def node(client, space: int, path: str):
    return client.get_node(f"ns={space};s={path}")


async def everything(client, space: int) -> list:
    """Every object and variable of our namespace, from Objects down."""
    found, todo = [], [client.nodes.objects]
    while todo:
        for child in await todo.pop().get_children():
            if child.nodeid.NamespaceIndex == space and child not in found:
                found.append(child)
                todo.append(child)
    return found


def test_a_client_reads_and_cannot_write():
    async def look() -> None:
        ua = asyncua.ua
        async with LineServer(scenery(), START, port=0) as server:
            assert server.url.startswith("opc.tcp://127.0.0.1:")
            assert server._server.iserver.max_connections == opcua.CONNECTIONS
            assert server._server.limits.max_message_size == opcua.MESSAGE
            async with asyncua.Client(server.url) as client:
                space = await client.get_namespace_index(NAMESPACE)
                vacuum = await client.nodes.objects.get_child([f"{space}:{level}" for level in VACUUM.split("/")])
                assert vacuum == node(client, space, VACUUM)              # the browse path is the id
                assert await vacuum.read_value() == 0.0
                await server.show(server.scenery.at(100.0))
                value = await vacuum.read_data_value()
                assert value.Value.Value == 100.0 and value.SourceTimestamp == START + timedelta(seconds=100)
                names = {(await p.read_browse_name()).Name: p for p in await vacuum.get_properties()}
                unit, limits = await names["EngineeringUnits"].read_value(), await names["EURange"].read_value()
                assert unit.DisplayName.Text == "Pa" and (limits.Low, limits.High) == (-101325.0, 0.0)
                assert await node(client, space, f"{PATH}/placement/State").read_value() == 5300

                ours = await everything(client, space)
                assert len(ours) > 40
                marked = 0
                for each in ours:
                    name = (await each.read_browse_name()).Name
                    if await each.read_node_class() == ua.NodeClass.Object or "#" not in str(each.nodeid.Identifier):
                        if name in ("EngineeringUnits", "EURange", "NamespaceUri"):
                            continue
                        assert await node(client, space, f"{each.nodeid.Identifier}#IsSimulated").read_value() is True
                        marked += 1
                assert marked > 30
                assert await node(client, space, f"{NAMESPACE}#IsSimulated").read_value() is True
                assert not [n for n in ours if "GroundTruth" in str(n.nodeid.Identifier)]

                await server.show(server.scenery.at(400.0))
                result = f"{PATH}/aoi/LatestResult"
                fields = ("PartId", "ResultState", "ResultContent", "IsPartial")
                read = {f: await node(client, space, f"{result}/{f}").read_value() for f in fields}
                assert read == {"PartId": "SIM-Line_3-0000001", "ResultState": 1, "IsPartial": False,
                                "ResultContent": ['{"component":"C3","defect":"shift","severity":0.00012}']}
                with pytest.raises(ua.UaStatusCodeError, match="BadNoData"):
                    await node(client, space, f"{PATH}/placement/power").read_value()

                for attempt in (vacuum.write_value(1.0), client.nodes.objects.add_object(space, "evil"), vacuum.delete(),
                                client.nodes.server.call_method("0:GetMonitoredItems", 1)):
                    with pytest.raises(ua.UaStatusCodeError, match="BadUserAccessDenied"):
                        await attempt
                assert await vacuum.read_value() == 400.0
            admin = asyncua.Client(server.url)
            admin.set_user("admin")
            admin.set_password("")
            with pytest.raises(Exception, match=r"(?i)identity|token|policy|user"):
                async with admin:
                    pass

    asyncio.run(look())


def test_a_client_sees_live_values_change():
    """live.serve in its own thread; a subscription in ours."""
    told, seen, stop, ready = [], [], threading.Event(), threading.Event()

    class Changes:
        def datachange_notification(self, changed, value, data) -> None:
            seen.append(value)

    def begun(url: str) -> None:
        told.append(url)
        ready.set()

    shown = []
    thread = threading.Thread(target=lambda: shown.append(live.serve(
        run(), "opcua", START, readings=readings(), outcomes=outcomes(), port=0, speed=100.0, period=0.1, stop=stop, ready=begun,
        truth=True)))
    thread.start()
    assert ready.wait(30)

    async def listen() -> float:
        async with asyncua.Client(told[0]) as client:
            space = await client.get_namespace_index(NAMESPACE)
            wear = await node(client, space, f"{PATH}/GroundTruth/nozzle3-wear").read_value()
            subscription = await client.create_subscription(50, Changes())
            await subscription.subscribe_data_change(node(client, space, VACUUM))
            for _ in range(500):
                if len(set(seen)) >= 3:
                    break
                await asyncio.sleep(0.02)
            await subscription.delete()
            return wear

    try:
        assert asyncio.run(listen()) in (0.0, 0.1, 1 / 3)                 # severities of the run, at its looks
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive() and shown[0] >= 3
    assert len(set(seen)) >= 3 and seen == sorted(seen)
    assert all(v % 10 == 0 for v in seen[:-1])                            # a moment every 10 s of the run; channel 0 reads t
    with socket.socket() as again:                                        # the port is free again
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", int(told[0].split(":")[2].split("/")[0])))


def test_a_port_that_is_taken_is_said_so():
    async def look(port: int) -> None:
        async with LineServer(scenery(), START, port=port):
            pass

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BackendError, match="cannot listen"):
            asyncio.run(look(taken.getsockname()[1]))


def test_moments_follow_the_clock_and_the_run():
    told = []
    found = list(moments(scenery(), speed=1e5, period=0.001, progress=lambda now, end: told.append(now)))
    assert [m.time for m in found] == told == [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]
    assert [m.states[2] for m in found] == [6000, 5300, 1000, 1000, 1000, 1000]
    assert [m.finished[3] for m in found] == [0, 0, 0, 0, 2, 2] and found[4].units[3] == "SIM-Line_3-0000001"
    assert [m.severity[0] for m in found] == [0.0, 0.1, 0.0, 0.0, 0.0, 0.0]
    assert found[4].calls[4][0].defect == "shift" and not found[4].calls[4][0].real
    assert [m.time for m in moments(scenery(), speed=1e5, period=0.001, begin=150.0, end=400.0)] == [150.0, 250.0, 350.0]


def test_wrong_questions_are_refused():
    with pytest.raises(InputError, match="time zone"):
        LineServer(scenery(), datetime(2026, 1, 1))
    for port in (70_000, -1):
        with pytest.raises(InputError, match=f"port {port}: there is none"):
            live.serve(run(), "opcua", START, port=port)
    for wrong in ({"speed": 0.0}, {"speed": float("nan")}, {"period": -1.0}, {"begin": 501.0}):
        with pytest.raises(InputError):
            next(moments(scenery(), **wrong))
