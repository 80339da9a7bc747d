"""Rules: from an inventory and a policy to findings. Pure functions that touch no host."""
