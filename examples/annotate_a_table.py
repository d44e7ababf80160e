"""A table of recordings, with what the model hears in each beside it: pip install "vocemo[pandas]".

python examples/annotate_a_table.py calls.csv
"""

import sys

import pandas

import vocemo

calls = pandas.read_csv(sys.argv[1])  # any columns, one of them called path
heard = vocemo.annotate(calls)
heard.to_csv(sys.stdout, index=False)
