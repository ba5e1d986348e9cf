"""Text burned into pixels."""
