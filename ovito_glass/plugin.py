"""Registers readers and writers."""
