"""Who signs in from where, how often they may guess, and whom they may change."""
