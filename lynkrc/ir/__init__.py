"""The RouteTable: the contract between the front and the back of the compiler."""
