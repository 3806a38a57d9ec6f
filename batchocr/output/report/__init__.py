"""The report of a run: one HTML file with counts, reasons, plots and the pages that need a person most."""
