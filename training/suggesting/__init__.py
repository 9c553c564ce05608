"""What to annotate next: sentences of which a checkpoint is unsure, and which differ from one another."""
