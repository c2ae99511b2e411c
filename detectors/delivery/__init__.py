"""After the award (标后履约)."""
