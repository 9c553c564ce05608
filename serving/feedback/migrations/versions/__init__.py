"""The revisions of the tables, in the order that their numbers say."""
