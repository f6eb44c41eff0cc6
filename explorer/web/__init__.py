"""The explorer's HTTP layer: the API, the pages, and the contract that both are held to.

    ports -> contract, negotiation, caching -> api, operations, pages, docs -> middleware -> app

`openapi.json` is the contract: routes, parameters and bodies are read from it at start, `/docs` is rendered from it.
"""
