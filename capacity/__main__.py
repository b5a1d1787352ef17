"""`python -m capacity`: the same as the command `capacity`, which begins here."""

from capacity.cli.interrupts import INTERRUPTED, leave, leave_when_interrupted


def enter() -> None:
    """Run the command line, ready for Ctrl-C before the first second of imports."""
    leave_when_interrupted()
    from capacity.cli.app import main as run

    try:
        run()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            leave()
        raise


if __name__ == "__main__":
    enter()
