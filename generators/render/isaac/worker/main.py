"""First file of the worker: ``python main.py --requests FD --answers FD --shared FOLDER``.

Any Python 3 can read it, so an old one can say so.
"""
import importlib.util
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("linetwin worker: Python %d.%d is too old" % sys.version_info[:2])  # noqa: UP031


def package():
    """This folder as a package under a name of its own: nothing is added to the import path."""
    here = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location("linetwin_isaac_worker", os.path.join(here, "__init__.py"),
                                                  submodule_search_locations=[here])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return importlib.import_module("linetwin_isaac_worker.serve")


if __name__ == "__main__":
    sys.exit(package().main(sys.argv[1:]))
