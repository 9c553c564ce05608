"""The web page of the service: its files in `static/`, and the routes that offer them."""
