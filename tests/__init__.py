"""The tests, a folder a room, and what they share: `support`."""
