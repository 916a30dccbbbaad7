"""text: what people and machines write about a line, and the documents that belong to it.

For: log entries (logs.py), manuals and spec sheets (manual.py, pdf.py) with their questions (questions.py), assembly drawings
(drawing.py).
Not for: what happens on the line (scenes/line) or what a sensor shows (generators/traces).
May import: scenes, numpy, pyyaml; reportlab inside pdf.py, Pillow inside drawing.py.
Promise: a text follows from a run, a scene and a random stream. No entry tells a cause before somebody has found it.
Start reading at logs.py.
"""
