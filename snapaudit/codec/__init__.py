"""Records to and from text: JSON documents and YAML files. Alone in knowing pydantic and PyYAML."""
