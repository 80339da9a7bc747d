"""Seeded mutants: the safety core with one check taken away, which the tests must notice."""
