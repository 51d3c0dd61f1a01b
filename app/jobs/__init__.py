"""Jobs: generators that yield their progress, run inline or in a thread."""
