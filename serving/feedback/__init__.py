"""Corrected documents that come back as training data: stored once each, reviewed, and exported as annotations."""
