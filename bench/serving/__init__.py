"""Measures serving beside what one would use instead, and prints the goals P1 to P15 as tables in Markdown.

Builds what it needs, makes models of random weights, and starts our server and its peers: a Python gRPC server and a
bare loop of PyTorch with the same weights, LitServe and Triton. All run on the same two processors and never two at
once: who has no turn is stopped (SIGSTOP). A round measures every cell once; a ratio is of cells of one round, and what
is printed is the median of the rounds' ratios, with the lowest and the highest.

A cell is refused while other jobs use the two processors: their busy time (/proc/stat: user, nice, system and steal)
less the CPU time of our own processes must be at most 5 % of them, else the cell is measured again. What was still
disturbed the last time is in no ratio and no median: a goal says how many rounds count, and "busy" where none does.

GENOSERVE_REAL_DATA, a folder with the real panel of 805 variants, adds a generator trained on it to P12.
"""
