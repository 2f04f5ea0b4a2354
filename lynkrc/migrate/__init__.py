"""What somebody has (an environment, a Lynkr `.env`, a LiteLLM config) to a spec to go on from."""
