from collections.abc import Buffer

from dicomcore._native.scan.index import Index

Values = tuple[tuple[int, str, bytes], ...]

def pick(
    index: Index, tags: Buffer, coded: Buffer
) -> tuple[Values, tuple[bytes, ...], tuple[tuple[int, bytes], ...]]: ...
