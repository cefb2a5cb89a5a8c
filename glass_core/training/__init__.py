"""Training of the models that descriptors feed. Imports torch only when a network is trained."""
