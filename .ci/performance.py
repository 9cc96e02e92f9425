"""Writes a table into docs/performance.md, between `<!-- NAME -->` and `<!-- end of NAME -->`.

`python3 .ci/performance.py NAME` reads from stdin what the table is made of: for `measured` and
`price-lists` lines of the benchmark, for `counts` the lines of benches/instructions.txt, for `calls` what
`tests/fewest_calls.rs` prints. `.ci/performance` and `.ci/bench --accept` call it.
"""

import re
import sys
from pathlib import Path

PAGE = Path("docs/performance.md")

MEASURED = ["what", "row", "ocache", "beside", "ratio", "target", "reached?"]

# The names of counts in the page, and how many products a count is for, if a figure for each product says
# more.
COUNTED = {
    "price.all_discounted": ("price a customer who has a discount on each of 10,000 products", 10_000),
    "price.hundred_discounted": ("price a customer who has discounts on 100 of 10,000 products", 10_000),
    "price_terms.four_lists": ("price four lists, each with a percentage on everything and three tiers "
                               "for 30 % of 10,000 products", 10_000),
    "pack.all_discounted": ("pack 10,000 own rows", 10_000),
    "pack.hundred_discounted": ("pack 100 own rows", 100),
    "fingerprinted.all_discounted": ("fingerprint of 10,000 discounts", 10_000),
    "fingerprinted.hundred_discounted": ("fingerprint of 100 discounts", 100),
    "read_discounts.hundred": ("read 100 stored discounts", 100),
    "unpack.part_of_a_base": ("unpack a part of a base", None),
    "look_up.hundred_own_rows": ("look up a product for a customer with 100 own rows", None),
    "parse_quote.three_lines": ("read the frame of a quote of three lines", None),
    "render_answer.three_lines": ("write the answer of three lines", None),
    "read_prices_query.fifty_products": ("read the query of `GET /prices` of 50 products", 50),
    "render_shown_prices.fifty_products": ("write the reply of `GET /prices` of 50 products", 50),
}

# The names of calls in `tests/fewest_calls.rs`, their names in the page, and their targets.
CALLS = {
    "first": ("first table of a customer", ""),
    "changed": ("changed table", "≤ 1.6 calls, ≤ 2 units"),
    "unchanged": ("unchanged table", "≤ 1.2 calls, ≤ 0.2 units"),
    "the straightforward way": ("changed table, the opponent", ""),
    "a direct quote": ("warm quote of three lines", "≤ 4 calls, ≤ 1 unit"),
}


def table(heads, rows):
    """The lines of a table of Markdown."""
    rows = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(row)} |".replace("  ", " ") for row in rows]


def measured(lines):
    """The text before the first line of the benchmark, and those lines under their heads."""
    before = [line for line in lines if not line.startswith("|")]
    return before + table(MEASURED, []) + [line for line in lines if line.startswith("|")]


def price_lists(lines):
    """What was measured and its figure: nothing is beside them."""
    cells = [[cell.strip() for cell in line.split("|")[1:4]] for line in lines]
    return table(MEASURED[:3], cells)


def counts(lines):
    rows = []
    for name, count in (line.split() for line in lines):
        what, items = COUNTED.get(name, (name, None))
        each = f"{int(count) / items:,.1f}" if items else ""
        rows.append([what, f"`{name}`", f"{int(count):,}", each])
    return table(["instructions to", "count", "all", "for each"], rows)


def calls(lines):
    rows = []
    for line in lines:
        found = re.search(r"embedded[,:] (.*): ([\d.]+) calls(?:,| and) ([\d.]+) write units", line)
        if found:
            what, target = CALLS[found[1]]
            rows.append([what, found[2], found[3], target])
    return table(["what", "calls", "write units", "target"], rows)


MAKERS = {"measured": measured, "price-lists": price_lists, "counts": counts, "calls": calls}


def write(name, lines):
    """Replaces what is between the two marks of this name."""
    before, rest = PAGE.read_text().split(f"<!-- {name} -->\n")
    _, after = rest.split(f"<!-- end of {name} -->\n")
    text = "\n".join(MAKERS[name](lines))
    PAGE.write_text(f"{before}<!-- {name} -->\n\n{text}\n\n<!-- end of {name} -->\n{after}")


if __name__ == "__main__":
    write(sys.argv[1], sys.stdin.read().splitlines())
