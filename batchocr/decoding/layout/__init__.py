"""From digits and signs to lines and numbers."""
