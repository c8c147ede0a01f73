"""Dictionaries of features: what train_dictionaries.py and evaluate_dictionaries.py share."""
