"""Text burned into pixels: found, judged and blanked (PS3.15 E.3.1, Clean Pixel Data)."""
