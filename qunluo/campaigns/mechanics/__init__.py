"""One file a campaign model: pure rules, from a state and an act to a decision.

`kernel` has the words they are written in, `world` carries decisions out in memory: for
simulations, for tests, and (loaded from and written to the database) for what is live.
"""
