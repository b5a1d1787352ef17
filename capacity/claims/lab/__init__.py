"""What the experiments of several claims share: lanes, instruments, figures; and what is long in one of them."""
