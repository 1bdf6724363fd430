"""Programs on top of the framework; nothing below imports them."""
