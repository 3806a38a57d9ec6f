"""The run: its plan, the journal, the lock, and the job that processes all pages."""
