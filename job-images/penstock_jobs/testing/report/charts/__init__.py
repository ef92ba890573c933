"""Pictures as inline SVG: no library, no script; colours come from the page's style, for light and dark alike."""
