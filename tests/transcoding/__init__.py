"""From one transfer syntax to another: data sets, files, folders."""
