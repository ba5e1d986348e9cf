from collections.abc import Buffer

from dicomcore._native.scan.index import Index

Code = tuple[str, str, str]
Reference = tuple[int, tuple[int, ...]]
Kind = tuple[int, int, bool, int, int, int, tuple[int, ...]]

def items(index: Index, most: int, depth: int) -> tuple[bytearray, list[Code], list[str], list[Reference]]: ...
def signatures(records: Buffer, targets: dict[int, int]) -> tuple[bytearray, list[Kind]]: ...
