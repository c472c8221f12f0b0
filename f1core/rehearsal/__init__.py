"""A past weekend once more: its facts arrive when they became known, in a data folder and a ledger of the rehearsal's own."""
