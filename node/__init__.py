"""What Filecoin is: addresses, CIDs, labels, epochs, actor events, the objects of the market and the verified registry.

Pure: bytes and documents in, values or the errors of `node.errors` out. Knows nothing of databases, HTTP services, jobs.
"""
