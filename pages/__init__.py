"""The documentation site: what is written stands under docs/, what can be told from the code is made here."""
