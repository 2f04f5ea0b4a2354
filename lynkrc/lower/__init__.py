"""The typed config to a RouteTable."""
