"""The whole of Headrace on one machine against the simulated upstream."""
