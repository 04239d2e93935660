"""What a record of a benchmark says of itself, made up."""

STAMP = {
    "date": "2026-01-01T00:00:00+00:00",
    "commit": "0",
    "hardware": {"cpu": "a processor"},
    "versions": {"torch": "2"},
    "cpu seconds": 1.0,
}
