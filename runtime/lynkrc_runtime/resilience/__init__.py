"""What all requests together know of targets: breakers, retry budgets, places."""
