"""Nodes to the surface tree: schema, decoding, the expression and pattern grammars."""
