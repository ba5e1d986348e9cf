Data = bytes | bytearray | memoryview

def send(
    file: int,
    number: int,
    kind: int,
    identifier: int,
    sop_class: bytes,
    sop_instance: bytes,
    data: Data | None,
    fragment: int,
) -> tuple[int, int] | None: ...
def receive(file: int, room: bytearray | memoryview, number: int, kind: int, identifier: int) -> tuple[int, int]: ...
def read_small(path: str | bytes) -> bytes | None: ...
