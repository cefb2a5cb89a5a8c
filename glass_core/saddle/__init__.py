"""Saddle points: the activation-relaxation technique (ARTn) on any potential energy surface."""
