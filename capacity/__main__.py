"""`python -m capacity`: the same as the command `capacity`, which begins here."""

from capacity.cli.interrupts import INTERRUPTED, ignore_from_now, leave, leave_when_interrupted


def enter() -> None:
    """Run the command line, ready for Ctrl-C before the first second of imports."""
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
