"""Pure rules of the inventory: drafts, versions and their life cycle, page tokens."""
