"""Recorders and readers that everybody above may use; siblings do not know each other."""
