"""The pure parts of the index: files, documents, rows, lives, questions, answers."""
