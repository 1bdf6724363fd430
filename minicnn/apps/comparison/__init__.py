"""Classic methods and networks on several sets of images: tables, figures and a page."""
