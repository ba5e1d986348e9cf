"""Programs without tests, run on real files: what they give is compared with what they give with pydicom."""
