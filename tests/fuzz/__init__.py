"""Damaged input for everything that reads bytes from outside (docs/safety.md, TST-11).

A target is a function of bytes that may end well or with an error of ours. Real examples are
changed, at random and yet the same for the same seed; what reaches a new line is changed again.
"""
