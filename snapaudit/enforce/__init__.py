"""From findings to a plan, and from a reviewed plan to acts: the safety core."""
