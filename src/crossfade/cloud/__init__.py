"""The port to the services: classic, ARM through the official SDKs, Graph; pacing, the one retry policy, errors."""
