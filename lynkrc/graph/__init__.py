"""A RouteTable to pictures of it: what is drawn, where it stands, and three forms to write it."""
