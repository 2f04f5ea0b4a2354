"""A RouteTable to the files a bundle holds."""
