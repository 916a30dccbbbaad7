"""For users who stay inside Isaac Sim: a linetwin stage rendered by Replicator, written by Replicator's writers or by ours.

Runs in Isaac Sim's own interpreter, from a script or its Script Editor. Needs Isaac Sim, numpy and PIL, which it has, and
nothing else of linetwin: the folder may be copied. Start ``SimulationApp`` before importing anything from here but this name.

    stage.py        what stands on a stage: cameras, things with a label id, states of the unit
    twin_writer.py  TwinWriter: lossless label ids per thing, in BasicWriter's layout, for ``linetwin import``
    writers.py      BasicWriter, KittiWriter, CocoWriter, PoseWriter and TwinWriter, set up for such a stage
    capture.py      the capture contract: seed, attach, step, wait, detach, destroy

``examples/isaac/first_dataset.py`` uses all of it. Run against a stand-in only (docs/isaac.md), never yet by Isaac Sim.
"""
