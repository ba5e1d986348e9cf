"""Tests of transcoding between transfer syntaxes: data sets, files, folders."""
