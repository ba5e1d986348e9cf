"""The upper layer's bytes (PS3.8)."""
