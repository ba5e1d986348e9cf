"""PrivateBlock: the 256 elements that one private creator reserved in a group (PS3.5 7.8.1)."""

from __future__ import annotations

from dicomcore.tags import Tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dicomcore.dataset import DataElement, Dataset

__all__ = ["PrivateBlock"]

CREATORS = range(0x10, 0x100)  # element numbers of private creators; each reserves one block


class PrivateBlock:
    """The elements of one private block, by the last two digits of their tags; see `Dataset.private_block`."""

    def __init__(self, data_set: Dataset, group: int, private_creator: str, block: int) -> None:
        self.dataset = data_set
        self.group = group
        self.private_creator = private_creator
        self.block_start = block << 8

    @classmethod
    def of(cls, data_set: Dataset, group: int, private_creator: str, create: bool) -> PrivateBlock:
        """Find the creator's block; if it is missing, reserve the first free block if `create`, else raise KeyError."""
        if not private_creator:
            raise ValueError("a private creator must have a name")
        if not group & 1:
            raise ValueError(f"group {group:04X} is not private: private groups are odd")
        taken = {element.tag.element: element.value for element in data_set[group << 16 | 0x10 : group << 16 | 0x100]}
        for block, creator in taken.items():
            if str(creator).strip(" ") == private_creator.strip(" "):  # leading spaces don't count (PS3.5 6.2)
                return cls(data_set, group, private_creator, block)
        if not create:
            raise KeyError(f"private creator {private_creator!r} has no block in group {group:04X}")
        block = next((block for block in CREATORS if block not in taken), 0)
        if not block:
            raise KeyError(f"group {group:04X} has no free block")
        data_set.add_new((group, block), "LO", private_creator)
        return cls(data_set, group, private_creator, block)

    def get_tag(self, element_offset: int) -> Tag:
        """The tag of the element at an offset in the block, 0 to 0xFF."""
        if not 0 <= element_offset <= 0xFF:
            raise ValueError(f"an offset in a private block is 0 to 255, not {element_offset}")
        return Tag(self.group, self.block_start + element_offset)

    def __contains__(self, element_offset: int) -> bool:
        return self.get_tag(element_offset) in self.dataset

    def __getitem__(self, element_offset: int) -> DataElement:
        return self.dataset[self.get_tag(element_offset)]

    def __delitem__(self, element_offset: int) -> None:
        del self.dataset[self.get_tag(element_offset)]

    def add_new(self, element_offset: int, VR: str, value: Any) -> None:
        """Add an element to the block."""
        self.dataset.add_new(self.get_tag(element_offset), VR, value)
