"""What programs of the operator ask a process over HTTP: whether it is well, and its figures."""
