# Nothing here is called from Python: see the .pxd.
