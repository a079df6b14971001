"""Bank transfer and cash: a person sees the money and says so."""
