"""Capacity: how much a memory holds, by theory and by counting."""
