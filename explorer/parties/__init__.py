"""Parties: what the index knows of one client, provider or allocator.

    address ─► actor id ─► few records: counted now            ─┐
                           very many:   counted ahead, as of … ─┴► document, tables

* naming      what an address says of itself, and how it is spelled
* resolving   the other way round and beyond: by the word of the followed node; kept remembers it for a while
* periods     months as stretches of epochs
* counting    the records of one party, counted by status, month and the other side
* marks       whose records changed; the counts that are made ahead
* refreshing  the loop that makes them
* listing     records in pages and streams
* service     the documents of the HTTP interface
"""
