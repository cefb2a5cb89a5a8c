"""Models: one file each, found through the hook ``glass_models``."""
