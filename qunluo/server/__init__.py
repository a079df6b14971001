"""What is started: settings, addresses, the web, live and worker processes."""
