"""The chain as the product sees it: one protocol, its types, and one tree of errors.

`protocol.Chain` is implemented by `node.lotus` over a real node, a simulated one, or a recording of one. Nothing in
this package knows of an event loop, a socket or a clock.
"""
