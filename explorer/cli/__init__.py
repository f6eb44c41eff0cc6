"""The commands of the explorer; `pipeline.program` composes the program `filplus` from them."""
