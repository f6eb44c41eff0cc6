"""The index: records read from files, stored, and answered from.

In the order of the data: files (bytes to text), documents (text to JSON records), records (to rows), importer and merge
(rows into PostgreSQL), events (what actor events change), store (out of PostgreSQL), answers (the API's documents).
"""
