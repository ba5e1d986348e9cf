"""The modules that `import dicomcore` loads, and those that are loaded on access."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dicomcore as dc


def test_packages_are_imported_on_access():
    code = "import sys, dicomcore as dc; assert 'dicomcore.codecs' not in sys.modules; dc.codecs.rle_encode; dc.pixels"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dc.nothing
