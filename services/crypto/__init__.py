"""crypto: encrypts fields, and opens them only for a purpose that is allowed and on record."""
