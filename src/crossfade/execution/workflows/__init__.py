"""The workflow bodies: a run, its chains of objects, its waves, a host's way forward and its way back."""
