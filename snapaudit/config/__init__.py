"""What a person configured: ``snapaudit.yaml``, where it is found, and where its secrets are."""
