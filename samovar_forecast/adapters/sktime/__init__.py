"""SAMoVAR in the words of sktime: the forecaster, its door, its explanation."""
