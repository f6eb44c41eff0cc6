"""A simulated chain as a network that programs talk to: Lotus JSON-RPC over HTTP and websocket.

    serving(node, socket) ─► HTTP, websocket ─► ChainThread ─► node.sim

The event loop only moves bytes; everything that thinks happens in the chain's own thread.
"""
