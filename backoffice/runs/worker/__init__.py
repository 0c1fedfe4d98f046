"""The worker's main process: heartbeats, leases, dead children, and a Redis that goes away."""
