"""Marks, as tests look at them."""

TAKE = """
with taken as (delete from search.dirty where index = 'island' returning ids)
select distinct unnest(ids) as id from taken
"""
"""Ids of islands that are marked, which they are no more."""
