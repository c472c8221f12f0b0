"""A past weekend once more: facts arrive when they became known, in a data folder and a ledger of their own."""
