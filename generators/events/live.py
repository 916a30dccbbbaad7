"""live: replay a run to an OPC UA server of ours, or to an MQTT broker, until it ends or is stopped. Needs the extra ``live``."""
from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from generators.events.channels import Readings
from generators.events.outcomes import Outcomes
from generators.events.replay import PERIOD, Scenery, moments
from scenes.errors import InputError
from scenes.line.model import Run

Target = Literal["opcua", "sparkplug"]
PORTS: dict[Target, int] = {"opcua": 4840, "sparkplug": 1883}             # as registered with IANA


def serve(run: Run, target: Target, start: datetime, *, readings: Readings | None = None, outcomes: Outcomes | None = None,
          host: str = "127.0.0.1", port: int | None = None, speed: float = 1.0, begin: float = 0.0, truth: bool = False,
          user: str = "", password: str = "", tls: bool = False, period: float = PERIOD, stop: threading.Event | None = None,
          ready: Callable[[str], None] | None = None, progress: Callable[[float, float], None] | None = None) -> int:
    """Show a run live. Blocks until the run is over or ``stop`` is set, and closes what it opened.

    Args:
        run: What happened.
        target: "opcua": listen as a server; "sparkplug": publish to a broker that is there already.
        start: The moment of the run's second 0, with its time zone.
        readings: Of its sensors: ``ChannelFile`` or ``ArrayReadings``.
        outcomes: What inspections found, for the results of inspection stations.
        host: Where to listen, or where the broker is. This computer only, by default.
        port: 4840 or 1883 by default; 0 takes a free one (OPC UA).
        speed: Seconds of the run in a second of the wall's clock.
        begin: Where in the run to begin [s].
        truth: Also show how far drifts have gone. Off: a model must not see it.
        user, password, tls: For the broker.
        period: Between two moments [s] of the wall's clock.
        stop: Ends it at once.
        ready: Told the address when it can be read from.
        progress: Told the time and the end [s] at every moment.

    Returns:
        How many moments were shown.

    Raises:
        InputError: a value that makes no sense.
        BackendUnavailable: the extra is not installed.
        BackendError: the port is taken, or the broker does not answer or goes away.
    """
    scenery = Scenery(run, readings, outcomes)
    number = PORTS[target] if port is None else port
    if not 0 <= number <= 65535:
        raise InputError(f"port {number}: there is none; give 0 to 65535")
    clock = moments(scenery, speed=speed, begin=begin, stop=stop, progress=progress, period=period)
    if target == "sparkplug":
        from generators.events.sparkplug import LineNode

        count = 0
        with LineNode(scenery, start, host=host, port=number, user=user, password=password, tls=tls, truth=truth) as node:
            if ready is not None:
                ready(f"mqtt://{node.host}:{node.port}/{node.topic('NBIRTH')}")
            for moment in clock:
                node.show(moment)
                count += 1
        return count

    from generators.events.opcua import LineServer

    async def listen() -> int:
        shown = 0
        async with LineServer(scenery, start, host=host, port=number, truth=truth) as server:
            if ready is not None:
                ready(server.url)
            while (moment := await asyncio.to_thread(next, clock, None)) is not None:
                await server.show(moment)
                shown += 1
        return shown

    return asyncio.run(listen())


__all__ = ["PORTS", "Target", "serve"]
