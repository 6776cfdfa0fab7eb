"""Need-to-know rules: values, loader, lint, decision and the authorisation matrix."""
