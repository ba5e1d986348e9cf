"""complete: add to an object what its IOD asks for and what can be told without asking anybody."""

from __future__ import annotations

from typing import NamedTuple

from dicomcore.dataset import Dataset
from dicomcore.tags import Tag

__all__ = ["Added", "complete"]


class Added(NamedTuple):
    """An attribute that `complete` added, or gave a value."""

    path: str
    """Its place, as a `Finding` has it."""
    tag: Tag
    how: str
    """``"type 2"`` or ``"type 2C, and its condition is met"`` for one that is empty; else what tells its value."""


def complete(ds: Dataset, iod: str | None = None) -> list[Added]:
    """Add what the IOD of an object asks for and what can be told without asking anybody (PS3.3, PS3.5 7.4).

    Attributes of type 2 are added empty, in all items that there are; those of type 2C if their condition is met. As in
    `check`, only modules that are in the object count. What follows from other attributes gets a value: the SOP class
    from the file meta information or from `iod`, the modality where the SOP class has only one, how many frames, items,
    points and channels there are, Frame Type where all frames are alike, Samples per Pixel, and High Bit or Bits Stored
    from each other. Nothing is invented: no UID, name, identifier, date, and no item of a sequence. What would lead to
    new findings is left as it is.

    Parameters
    ----------
    ds : Dataset
        The object, which is changed.
    iod : str, optional
        The UID, name or keyword of a SOP class, in place of the object's own.

    Returns
    -------
    list of Added
        What was added, in the order in which it was. Empty if the object needs nothing, or if no IOD is known for it.

    Raises
    ------
    KeyError
        `iod` names no storage SOP class.
    EncodeError
        The object has a value that can't be written.
    """
    if not isinstance(ds, Dataset):
        raise TypeError(f"complete() changes a Dataset; {type(ds).__name__} is none, and dcmread() makes one of it")
    from dicomcore.iod.filling import Filling  # not needed by programs that only check

    return Filling(ds, iod).run()
