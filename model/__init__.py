"""What the system knows: records, text handling, network, decoding, the extractor, export."""
