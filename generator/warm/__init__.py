"""What processes begin with that are copies of one: each module here is imported for what it loads."""
