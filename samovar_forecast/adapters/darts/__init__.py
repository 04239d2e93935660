"""SAMoVAR in the words of darts: the model, its module, its anchor, its explanation."""
