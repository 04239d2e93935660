"""Training on a simulated world: the generator, the loop and the command.

Nothing of this room is needed to forecast.
"""
