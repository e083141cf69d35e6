"""Editing a picture, from what was asked for to what is put back and said of it: `run.edit` is `lienzo.edit`."""
