"""Where pages are looked at: on this machine, in processes of its own."""
