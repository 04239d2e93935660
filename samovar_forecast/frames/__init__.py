"""The user's frames, checked and taken apart; pandas stops here."""
