"""archwise finds a neural network for your data, and gets better at it with every search it runs."""

__version__ = "0.1.0"
