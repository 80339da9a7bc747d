"""The weekly report, put together: audit + history + journal + holds and exemptions → record."""
