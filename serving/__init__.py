"""How the model is offered: the HTTP service and the command line."""
