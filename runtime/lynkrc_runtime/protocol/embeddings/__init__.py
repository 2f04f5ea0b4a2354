"""Embeddings: what clients ask in OpenAI's form, and the forms upstreams are asked in."""
