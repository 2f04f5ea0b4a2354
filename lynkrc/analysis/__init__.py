"""Questions about a RouteTable that no single request answers."""
