"""Mail: letters are made into messages, handed to a server, and remembered."""
