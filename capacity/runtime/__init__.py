"""Where and how work runs, what is kept on disk, and a user's tables as arrays.

Devices, executors, registries, names, seeds, progress, files.  `executors` takes groups of lanes to other processes,
`registry` enrols classes by name, `deprecated` knows old names, `tables` takes arrays of any package.
"""
