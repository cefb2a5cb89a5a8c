"""Compiled loops (numba). Import a module of this package only when something is computed."""
