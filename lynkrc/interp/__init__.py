"""The reference semantics of a RouteTable, dull on purpose."""
