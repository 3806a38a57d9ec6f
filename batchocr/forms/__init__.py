"""Forms with named fields: their files, their places on pages, the reading of their fields, and rules."""
