"""Benchmarks: qctl beside what the machine allows and beside its peers, measured in turn in one run."""
