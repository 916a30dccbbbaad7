"""scenes.machines: pumps, motors, fans and compressors: scenes of their own, for vibration, sound, pressure, heat and current.

For: what a machine is (shaft, bearings, structure, what it moves, where it stands), what can be wrong with it, what is measured.
Not for: the signals (generators/traces/machine_record.py) or production lines (scenes/line).
May import: scenes, numpy, pydantic, yaml.
Start reading at model.py, then machine.py.
"""
