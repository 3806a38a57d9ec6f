"""Read the fields of a form on a placed page: evidence, possible readings, rules, rows."""
