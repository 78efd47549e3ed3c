"""The queue engine behind its port."""
