"""`python -m lienzo.api.compare`: the process that does one job of a comparison; see `process`."""

from lienzo.api.compare.work import main

if __name__ == "__main__":
    main()
