"""The command line: one file a verb, no mathematics in here."""
