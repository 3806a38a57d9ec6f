"""Review by a person: the review page, corrections that stay, audits and certificates."""
