"""What sources refuse: sizes that are none, embeddings without room, lists without end."""

from synthetic.source import MAX_LISTED


def check_listing(count: int) -> None:
    """Raise ValueError where `count` messages are too many to list."""
    if count > MAX_LISTED:
        power = count.bit_length() - 1
        # A count past 2**64 has too many digits to read, and Python refuses to print some of them.
        shown = f"2**{power}" if count == 2**power else f"{count}" if power < 64 else f"> 2**{power}"
        raise ValueError(f"Expected at most 2**20 = {MAX_LISTED} messages to list; got {shown}.")


def check_size(bits: int, dim: int) -> None:
    """Raise ValueError unless `bits` and `dim` are whole numbers of at least one."""
    for label, value in (("bits", bits), ("dim", dim)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"Expected {label} to be a whole number of at least 1; got {value!r}.")


def check_linear(bits: int, dim: int) -> None:
    """Raise ValueError unless `bits` amplitudes fit into `dim` dimensions one to one."""
    check_size(bits, dim)
    if dim < bits:
        raise ValueError(f"Expected dim of at least bits = {bits} for an injective linear embedding; got {dim}.")
