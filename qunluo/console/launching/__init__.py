"""Groups begin: the fit check, blueprints, and what the launch asks of the staff."""
