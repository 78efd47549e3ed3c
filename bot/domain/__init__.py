"""What an edit is: frozen values and pure functions. Standard library only, nothing awaits."""
