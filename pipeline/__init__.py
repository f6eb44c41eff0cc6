"""The pipeline node's side, and the program `filplus` that is composed of both services' commands."""
