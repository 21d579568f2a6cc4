"""What the product is made of: whether it is what was locked, what is known against it, and its bill of materials."""
