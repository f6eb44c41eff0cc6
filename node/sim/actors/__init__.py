"""The actors with their rules, a module for each or for a part of one; `table` puts them together."""
