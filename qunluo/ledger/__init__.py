"""Whatever must not be created or lost: points, stock, seats, coupons, budgets."""
