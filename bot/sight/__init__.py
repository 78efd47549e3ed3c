"""What an operator sees: whether a process is well, figures, traces, and what of a turn a log line says.

Nothing here ever holds texts, pixels, tokens, people or chats: ids of turns and figures only.
"""
