"""events: what a living line tells other systems, as files and as live servers.

For: CFX-shaped messages (``cfx``), history as Parquet (``tables``, ``channels``); behind the extra ``live`` an OPC UA server
(``opcua``) and an MQTT Sparkplug B publisher (``sparkplug``).
Not for: what happens on the line (scenes.line) or how a sensor errs (generators.traces).
May import: scenes, generators.dataset, numpy, pyarrow, pydantic; asyncua, paho and protobuf inside the modules that need them.
Promise: everything that goes out says that it is simulated. Checked by tests/generators/test_events_*.py.
Start reading at outcomes.py, then tables.py, then cfx.py.
"""
