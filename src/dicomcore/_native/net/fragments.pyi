Fragment = tuple[int, int, int, int]

def scan(
    data: bytes | bytearray | memoryview, start: int, stop: int, longest: int
) -> tuple[int, list[Fragment], int]: ...
