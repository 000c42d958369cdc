"""The operator's command line `pawcast`, and what it is made of."""
