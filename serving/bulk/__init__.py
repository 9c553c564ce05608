"""Archives of texts in, parts of documents out: in this process, or on a Ray cluster."""
