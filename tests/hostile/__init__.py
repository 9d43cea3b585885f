"""Inputs that mean harm: whatever is read must be read, or refused by a BuildError, soon and without executing it."""
