"""What the commands are made of; `python -m admin_app` in `admin_app/__main__.py` lists them."""
