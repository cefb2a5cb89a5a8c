"""Example of a plugin: coordination numbers as a descriptor and as a model."""
