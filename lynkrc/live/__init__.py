"""What a running gateway tells operators, to what a person looks at."""
