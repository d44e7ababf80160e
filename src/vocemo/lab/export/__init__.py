"""A trained run becomes one file that runs anywhere."""
