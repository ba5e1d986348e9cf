"""Ready services for `net.Server` (PS3.4): over a catalogue storage, query, retrieval, worklist and commitment; over a
ledger procedure steps, workitems and notifications."""

from dicomcore.services.availability import Availability
from dicomcore.services.commitment import (
    Commitment,
    CommitmentReceiver,
    Committed,
    Reference,
    commit,
    request_commitment,
)
from dicomcore.services.departments import Departments, add_all
from dicomcore.services.forwarding import Forwarding
from dicomcore.services.ledger import Ledger
from dicomcore.services.print_images import Printed, print_images
from dicomcore.services.printing import Printer, Sheet, to_folder
from dicomcore.services.procedure_step import PerformedProcedureSteps
from dicomcore.services.query import Query
from dicomcore.services.reporter import Reporter
from dicomcore.services.retrieve import Retrieve
from dicomcore.services.storage import Storage
from dicomcore.services.ups import Workitems
from dicomcore.services.ups_service import UnifiedProcedureSteps
from dicomcore.services.worklist import Worklist

__all__ = [
    "Availability",
    "Commitment",
    "CommitmentReceiver",
    "Committed",
    "Departments",
    "Forwarding",
    "Ledger",
    "PerformedProcedureSteps",
    "Printed",
    "Printer",
    "Query",
    "Reference",
    "Reporter",
    "Retrieve",
    "Sheet",
    "Storage",
    "UnifiedProcedureSteps",
    "Workitems",
    "Worklist",
    "add_all",
    "commit",
    "print_images",
    "request_commitment",
    "to_folder",
]
