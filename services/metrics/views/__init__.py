"""The five department views: a file for each, its figures with their definitions, over one frame."""
