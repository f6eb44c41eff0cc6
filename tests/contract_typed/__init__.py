"""One list of calls of the typed `Chain`, put to a simulated node in process and over the wire, and to recordings."""
