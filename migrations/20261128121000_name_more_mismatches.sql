-- On its own: a value of an enum cannot be used in the transaction that adds it.
alter type mismatch add value if not exists 'misfit';
alter type mismatch add value if not exists 'dispute';
alter type mismatch add value if not exists 'unmatched';
