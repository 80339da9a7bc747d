"""Use cases: the only place where collecting, judging, reporting and the demo meet."""
