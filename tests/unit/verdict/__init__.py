"""The rules of the verdict, against DESIGN and against a second statement of them."""
