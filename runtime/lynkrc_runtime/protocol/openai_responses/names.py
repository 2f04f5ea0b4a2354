"""The name of the dialect."""

NAME = "openai-responses"
