"""The hub under random faults: `python -m tests.chaos --seconds 1200 --seed 7 [--broken NAME]`.

Real programs and servers of its own (`hub`), clients that note what they asked and were told (`clients`, `listeners`),
a nemesis that kills and freezes (`nemesis`, `faults`), and a checker of the whole history (`checker`).
The same seed gives the same plan of faults and of what clients want; how they meet is left to chance.
"""
