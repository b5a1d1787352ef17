"""`python -m capacity`: the same as the command `capacity`, which begins here."""

import gc

from capacity.cli.interrupts import INTERRUPTED, ignore_from_now, leave, leave_when_interrupted

OBJECTS = 50_000  # made before dead ones are looked for: imports make a hundred thousand that stay


def enter() -> None:
    """Run the command line, ready for Ctrl-C before the first second of imports."""
    gc.set_threshold(OBJECTS)
    leave_when_interrupted()
    from capacity.cli.app import main as run

    try:
        run()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            leave()
        ignore_from_now()
        raise


if __name__ == "__main__":
    enter()
