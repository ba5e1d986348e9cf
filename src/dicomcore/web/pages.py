"""The folder of the viewer's files that the package brings."""

from __future__ import annotations

import os

__all__ = ["viewer_folder"]


def viewer_folder() -> str:
    """A folder for `web.app(…, viewer=…)`: a page that lists the studies of the server, and shows their images.

    Images are shown as the server renders them. If cornerstone3D was built into ``bundle`` of the folder (``make
    viewer``), the browser decodes them instead.
    """
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "viewer")
