"""Checks: the part of an audit that is asked for, its budgets, and an earlier state beside it."""
