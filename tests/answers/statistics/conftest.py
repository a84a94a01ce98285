"""Statistics of answers: what a sampler or an estimator gives must be as random as physics has it.

Every test says the odds that it fails by chance. The seeds are fixed, so a test that passes goes on passing until the
random numbers change.
"""
