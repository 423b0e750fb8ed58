"""One file for each schema, by its number: how to come to it from the one before. There is no way back."""
