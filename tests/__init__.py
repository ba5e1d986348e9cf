"""The tests, a folder for each package of dicomcore, and their helpers in `support`."""
