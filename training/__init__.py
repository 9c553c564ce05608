"""How a checkpoint is made and judged: readers, features, trainer, evaluation."""
