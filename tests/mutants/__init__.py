"""Each guarantee's mechanism, taken out: the test that guards it has to fail. `make mutants`."""
