"""Bulk reading: requests as text, answers parsed while they arrive."""
