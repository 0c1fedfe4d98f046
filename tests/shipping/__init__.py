"""A record type whose task reads other rows and writes some: shipments, their carriers, tariffs and parcels."""
