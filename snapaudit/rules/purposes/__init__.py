"""Purposes: what a snapshot seems to be for, by proof or by a score whose reasons are printed."""
