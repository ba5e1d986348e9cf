"""Tags, UIDs, values, text, numbers and threads: what every room stands on."""
