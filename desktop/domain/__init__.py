"""The rules of being on call: values in, values out. No clock, no thread, no file."""
