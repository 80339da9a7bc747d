"""A Windows host as far as the wire goes: WS-Man with shells, NTLM with sealing, basic, TLS."""
