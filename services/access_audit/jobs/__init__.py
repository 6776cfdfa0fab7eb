"""What requests do inside the committer's transaction, a module for each kind of leaf."""
