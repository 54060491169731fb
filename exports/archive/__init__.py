"""What an archive holds and how it is written: pure functions and values, no Django below this line."""
