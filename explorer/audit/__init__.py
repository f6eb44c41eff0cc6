"""What was done, by whom: an append-only log, chained by hashes, that anybody can verify.

Read in this order: chain (what an entry is and how it is hashed; pure), log (writing), reading, verifying.
"""
