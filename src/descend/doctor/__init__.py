"""The doctor: a trace in, findings out."""
