"""What a community sells: catalogue, prices, orders, payments and refunds."""
