"""Wave functions of 4f^n in a crystal field, and schemes made of them."""
