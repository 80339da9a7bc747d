"""A XAPI of our own: the public data model, its roles and errors, over XML-RPC and JSON-RPC."""
