"""RouteTable to RouteTable, each pass pure and meaning-preserving."""
