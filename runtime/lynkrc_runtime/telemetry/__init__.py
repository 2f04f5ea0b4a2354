"""What is told about a request: metrics, log line."""
