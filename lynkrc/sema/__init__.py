"""The surface tree to a typed one: scopes, types, ranges, extends and catalog."""
