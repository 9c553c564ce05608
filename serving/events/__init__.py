"""What analysts take away: a table with one row an event, PLOVER records, and a graph."""
