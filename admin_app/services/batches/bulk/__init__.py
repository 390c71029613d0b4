"""One change to many tickets: chosen, previewed, applied as a whole, undone where nobody touched them since."""
