"""Barrier predictions in OVITO: the modifier "Predict barriers", a reader of structure files, pictures."""
