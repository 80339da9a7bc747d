"""Serve: the last finished collection for Prometheus to fetch, with its age."""
