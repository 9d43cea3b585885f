"""One of each thing that a package can add to Whatfires: copy it to begin your own."""
