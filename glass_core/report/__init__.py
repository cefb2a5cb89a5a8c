"""The figures of the SCNN paper (arXiv:2401.03743), drawn from our own runs."""
