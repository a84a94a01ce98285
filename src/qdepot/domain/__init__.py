"""What things are: frozen records and the rules that bind them. Standard library only."""
