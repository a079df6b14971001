"""Archive: chat exports of any platform, kept as Parquet, read by any engine."""
