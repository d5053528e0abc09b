"""The object graph of a run: one pickle, its arrays out of band, and back into living objects."""
