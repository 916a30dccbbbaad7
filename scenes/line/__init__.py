"""line: how a production line runs: units on their way, machines that stop, things that wear, and what sensors feel of it.

For: the authored line, the discrete-event flow, drifts and their couplings, inspection machines, OEE and yield.
Not for: waveforms and sensor noise (generators/traces), log text (generators/text), messages (generators/events).
May import: scenes, numpy, scipy, simpy, pydantic.
Clock: seconds from the start of a run, float64. Start reading at model.py, then flow.py, drifts.py.
"""
