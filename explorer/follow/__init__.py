"""Following a node: what its chain did since, read from a `Chain`, decided purely, written by `explorer.index`.

head ─► path to the followed chain ─► plan (pure) ─► what each tipset told ─► advance, one transaction
"""
