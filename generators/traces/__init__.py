"""traces: what sensors record: vibration, sound, pressure, flow, temperature, current.

For: signals from the state of a machine (bearings, rotor, gears, structure), and what a sensor makes of them (range, filter,
noise, steps, losses, clock). Slow histories and fast windows. Every random number has a generator.
Not for: what wears and how fast (scenes/line), what is stored (generators/dataset), what people write about it (generators/text).
May import: numpy, scipy, scenes. Never: pyarrow, the renderers.
Start reading at sensor.py, then bearings.py, vibration.py, line_windows.py.
"""
