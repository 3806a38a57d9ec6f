"""The rules of a form: check digits, the values of single fields, and equations across fields."""
