"""Pure parts of crypto: what a field needs, key life cycle, destruction plans and receipts."""
