"""Campaigns: many saddle searches over the atoms of a glass, kept in a file that survives whatever happens."""
