"""The file formats of the result tables: one module for each, with its writer and its reader."""
