"""Statuses of DIMSE responses (PS3.7 Annex C, and the service classes of PS3.4)."""

from __future__ import annotations

__all__ = ["Status", "status_of"]

SUCCESS, CANCEL = 0x0000, 0xFE00
PENDING = frozenset({0xFF00, 0xFF01})
# Texts of PS3.7 Annex C, which hold for every service.
GENERAL = {
    0x0000: "success",
    0x0001: "warning: requested optional attributes are not supported",
    0x0105: "no such attribute",
    0x0106: "invalid attribute value",
    0x0107: "warning: attribute list error",
    0x0110: "processing failure",
    0x0111: "duplicate SOP instance",
    0x0112: "no such SOP instance",
    0x0113: "no such event type",
    0x0114: "no such argument",
    0x0115: "invalid argument value",
    0x0116: "warning: attribute value out of range",
    0x0117: "invalid SOP instance",
    0x0118: "no such SOP class",
    0x0119: "class-instance conflict",
    0x0120: "missing attribute",
    0x0121: "missing attribute value",
    0x0122: "SOP class not supported",
    0x0123: "no such action type",
    0x0124: "not authorized",
    0x0210: "duplicate invocation",
    0x0211: "unrecognized operation",
    0x0212: "mistyped argument",
    0x0213: "resource limitation",
    0xFE00: "cancelled",
    0xFF00: "pending",
    0xFF01: "pending: one or more optional keys are not supported",
}
# Texts of service classes: storage (PS3.4 B.2.3), query and retrieve (C.4), procedure steps and workitems.
SERVICES = {
    0xA700: "out of resources",
    0xA701: "out of resources: the number of matches cannot be told",
    0xA702: "out of resources: sub-operations cannot be performed",
    0xA710: "the SOP instance may no longer be changed",
    0xA801: "the move destination is unknown",
    0xA900: "the data set does not match the SOP class",
    0xAA00: "none of the frames requested are in the SOP instance",
    0xAA01: "a new object cannot be made for this SOP class",
    0xAA02: "no frames can be extracted",
    0xAA03: "time-based request for an object that is not time-based",
    0xAA04: "invalid request",
    0xB300: "warning: the step was made with changes",
    0xB301: "warning: the deletion lock was not granted",
    0xB304: "warning: the step is cancelled already",
    0xB305: "warning: invalid values were coerced to valid ones",
    0xB306: "warning: the step is completed already",
    0xB600: "warning: memory allocation is not supported",
    0xB601: "warning: collating is not supported",
    0xB602: "warning: the film session has no pages with images",
    0xB603: "warning: the film box has no image boxes with images",
    0xB604: "warning: the image was made smaller than asked for",
    0xB605: "warning: the requested density is outside the printer's range",
    0xB609: "warning: the image was cropped to fit",
    0xB60A: "warning: the image was decimated to fit",
    0xC300: "the step may no longer be updated",
    0xC301: "the correct transaction UID was not given",
    0xC302: "the step is in progress already",
    0xC303: "a step becomes SCHEDULED only when it is made",
    0xC304: "the step does not meet the requirements of its final state",
    0xC307: "there is no such step",
    0xC308: "the receiving AE title is unknown",
    0xC309: "a step is made in the state SCHEDULED",
    0xC310: "the step is not in progress",
    0xC311: "the step is completed already",
    0xC312: "the performer of the step cannot be reached",
    0xC313: "the performer does not cancel the step",
    0xC314: "the action does not fit the instance",
    0xC315: "event reports are not supported",
    0xC600: "the film session has no film boxes",
    0xC601: "the print queue is full",
    0xC602: "the print queue is full",
    0xC603: "the image is larger than its image box",
    0xC605: "there is no memory for the image",
    0xC613: "the combined print image is larger than its image box",
    0xC616: "there is a film box that was not printed",
    0xB000: "warning: data elements were coerced, or sub-operations failed",
    0xB006: "warning: elements were discarded",
    0xB007: "warning: the data set does not match the SOP class",
}


class Status(int):
    """The status of a response: an int with its `category` and `text`."""

    __slots__ = ()

    @property
    def category(self) -> str:
        """``"success"``, ``"pending"``, ``"cancel"``, ``"warning"`` or ``"failure"`` (PS3.7 Annex C)."""
        if self == SUCCESS:
            return "success"
        if self in PENDING:
            return "pending"
        if self == CANCEL:
            return "cancel"
        if self in (0x0001, 0x0107, 0x0116) or self >> 12 == 0xB:
            return "warning"
        return "failure"

    @property
    def is_success(self) -> bool:
        """Whether the operation was done, if need be with a warning."""
        return self.category in ("success", "warning")

    @property
    def text(self) -> str:
        """What the number means, in words."""
        known = GENERAL.get(self) or SERVICES.get(self) or SERVICES.get(self & 0xFF00)
        if known:
            return known
        return "cannot understand" if self >> 12 == 0xC else self.category

    def __repr__(self) -> str:
        return f"Status(0x{int(self):04X}, {self.text!r})"

    __str__ = __repr__


def status_of(value: object) -> Status:
    """A status from what a handler gave: None is success, numbers are statuses."""
    if value is None:
        return Status(SUCCESS)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFF:
        return Status(value)
    raise TypeError(f"a handler returns a status, 0 to 0xFFFF, or None, not {value!r}")
