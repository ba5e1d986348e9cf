"""What `import dicomcore` brings along, and what comes when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dicomcore as dc


def test_rooms_come_with_the_package():
    code = "import sys, dicomcore as dc; assert 'dicomcore.codecs' not in sys.modules; dc.codecs.rle_encode; dc.pixels"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dc.nothing
