"""The objects that the operator makes: plain dicts, as the API server takes them, of frozen values. One kind a file."""
