"""The built-in actors' params and returns, a module an actor; `dispatch` finds a method by its number.

Names and order of the fields follow builtin-actors (types.rs of each actor) and go-state-types; units are in the names.
"""
