KINDS: dict[str, int]

class Block:
    def __buffer__(self, flags: int, /) -> memoryview: ...
