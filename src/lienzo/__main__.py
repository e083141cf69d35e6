"""`python -m lienzo`: the same as the command `lienzo`."""

from lienzo.cli import main

if __name__ == "__main__":
    main()
