"""What a person or a program talks to; each renders the same events and results."""
