"""The world, behind the ports: one vendor family in each module."""
