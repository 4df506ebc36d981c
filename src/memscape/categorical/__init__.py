"""Part V: what categories say of learning, as far as a computation can check it."""
