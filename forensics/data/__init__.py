"""Data sets as streams of samples: readers, image decoding, pictures for the browser."""
