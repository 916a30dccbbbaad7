"""The worker: runs inside Isaac Sim's own interpreter, started by file path. Imports nothing of linetwin's rooms.

Needs Python ≥ 3.11, NumPy, pxr, and Isaac Sim 5.x or 6.x. The protocol is written down in ``../messages.py``. Every name of
``omni.replicator.core`` and every setting that is used stands in ``replicator.py`` and nowhere else.
Start reading at serve.py, then capture.py.
"""
