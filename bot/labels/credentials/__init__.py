"""Content Credentials (C2PA): files are signed as the last thing that is done to them, and read from anywhere."""
