"""Every read of the warehouse, a named function each."""
