"""A check's verdict as monitoring and build systems read it. One module a format."""
