"""The Defend API from our side of the wire."""
