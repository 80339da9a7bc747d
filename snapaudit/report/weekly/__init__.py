"""The weekly report as people and programs want to read it. One module a format."""
