"""OVITO: the modifiers "Predict barriers", "Show event", "Label statistics"; a reader of structure files; pictures."""
