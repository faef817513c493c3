"""The suite's own environment, set before the settings are read (a plugin named in pytest.ini).

Owns safe values for every run: data in a temporary folder, keys of the tests, no bell.  Refuses
to touch ``var/``: a test never writes where the demonstration lives.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "DATA_DIR" not in os.environ:
    _folder = tempfile.mkdtemp(prefix="tsunagari-test-")
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    os.environ["DATA_DIR"] = _folder
os.environ.setdefault("SECRET_KEY", "test-only-" + "s" * 40)
os.environ.setdefault("DATA_KEY", "test-only-" + "d" * 40)
os.environ.setdefault("BELL", "0")
