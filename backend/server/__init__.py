"""The local server: jobs in, events out; never imports torch."""
