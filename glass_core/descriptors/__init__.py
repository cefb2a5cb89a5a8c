"""Structural descriptors: one file each, found through the hook ``glass_descriptors``."""
