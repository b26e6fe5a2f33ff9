"""``python -m assistant``."""

from assistant.interfaces.cli import main

main()
