"""Text to nodes: files, spans, YAML events and scalars."""
