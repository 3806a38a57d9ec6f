"""The run: what is still to be read, the journal, the lock, and the job that goes through all pages."""
