"""How the outside does it: folder = port, file = technology."""
