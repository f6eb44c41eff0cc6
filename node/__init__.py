"""What Filecoin is: addresses, CIDs, labels, epochs, actor events, the market and the verified registry.

Pure: bytes and documents in, values or the errors of `node.errors` out. It knows nothing of databases, HTTP and jobs.
"""
