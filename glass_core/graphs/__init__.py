"""Graph networks (torch): SymGNN and the networks that it is compared with. Imported only when one is used."""
