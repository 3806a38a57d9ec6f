"""The ink of a placed page that was filled in: what is not printed on the blank form. Runs in the workers."""
