"""The results: tables of rows, and pages with the rows drawn on them."""
