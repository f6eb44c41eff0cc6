"""A Lotus node as a `Chain`: JSON-RPC over a `Transport`.

    client ─► pool ─► transport (HTTP and websocket, or another)      asks
       │        └──► faults: what a node's error means
       └──► params, decoding: what is asked, what is answered         pure

`opening.open_lotus_chain` makes one of URLs.
"""
