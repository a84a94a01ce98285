"""What a caller can ask: one class per noun."""
