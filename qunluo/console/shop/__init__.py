"""The shop in the console: orders, products, prices, and orders of other shops."""
