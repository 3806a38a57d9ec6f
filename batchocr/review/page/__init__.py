"""The page on which a person reviews results: which items it shows, their images, and the HTML file."""
