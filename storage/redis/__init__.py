"""State on Redis or Valkey. Pixels lie elsewhere."""
