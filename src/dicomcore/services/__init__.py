"""Ready services for `net.Server`: storage, query, retrieval and worklist over a catalogue (PS3.4 B, C, K)."""

from dicomcore.services.query import Query
from dicomcore.services.retrieve import Retrieve
from dicomcore.services.storage import Storage
from dicomcore.services.worklist import Worklist

__all__ = ["Query", "Retrieve", "Storage", "Worklist"]
