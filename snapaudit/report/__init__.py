"""The last step: an audit as people and programs want to read it. One module a format."""
