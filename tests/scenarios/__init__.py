"""Stories that run through the whole product, on real parts."""
