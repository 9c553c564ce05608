"""Label Studio's protocol for machine learning backends: annotators start from what the model finds."""
