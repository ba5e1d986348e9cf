from dicomcore._native.net.fragments import Fragment

def keep(
    folder: bytes,
    target: bytes,
    head: bytes,
    data: bytes | bytearray | memoryview,
    fragments: list[Fragment],
    durable: bool,
) -> int: ...
