"""Through all rooms: hostile bytes, memory, threads, special files, every real file beside independent answers."""
