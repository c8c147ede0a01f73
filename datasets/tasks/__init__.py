"""The task generators: items for training, rows for evaluation, both from a seed."""
from . import agreement, brackets, greater_than, induction, ioi, mqar, world

# name: (generator of a training item, share of the task tokens)
ITEMS = {"ioi": (ioi.item, 0.16), "greater-than": (greater_than.item, 0.04), "induction": (induction.item, 0.12),
         "agreement": (agreement.item, 0.09), "world": (world.item, 0.50), "mqar": (mqar.item, 0.06),
         "brackets": (brackets.item, 0.03)}
# name: (generator of held-out rows, how many)
ROWS = {"ioi": (ioi.rows, 400), "greater-than": (greater_than.rows, 200), "induction": (induction.rows, 300),
        "agreement": (agreement.rows, 400), "one-hop": (world.rows_one_hop, 400), "two-hop": (world.rows_two_hop, 400),
        "mqar": (mqar.rows, 300), "brackets": (brackets.rows, 300)}
