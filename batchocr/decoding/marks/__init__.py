"""What a person should check: the names of the review marks, and what decides each."""
