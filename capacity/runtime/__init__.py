"""Where and how work runs, and what is kept on disk: devices, executors, registries, names, seeds, progress, files.

`executors` takes groups of lanes to other processes, `registry` enrols classes by name, `deprecated` knows old names.
"""
