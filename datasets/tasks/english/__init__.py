"""General task sets for models of English: rows of clean and corrupted prompts with answer and distractor.

Each generator has `rows(rng, n)`; what it yields depends on the seed alone (no tokenizer, no packages).
"""
from . import agreement, brackets, docstring, facts, greater_than, induction, ioi, recall, translation

ROWS = {"ioi": (ioi.rows, 160), "greater-than": (greater_than.rows, 120),
        "greater-than-digit": (greater_than.rows_digit, 120), "induction": (induction.rows, 120),
        "agreement": (agreement.rows, 140), "one-hop": (facts.rows_one_hop, 160),
        "two-hop": (facts.rows_two_hop, 140), "recall": (recall.rows, 120), "brackets": (brackets.rows, 120),
        "docstring": (docstring.rows, 120), "translation": (translation.rows, 120)}
