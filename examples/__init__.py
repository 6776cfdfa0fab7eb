"""Examples: five organizations and the demo that runs them."""
