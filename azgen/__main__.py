"""`python -m azgen`: the same as the command `azgen`."""

from azgen.cli import main

if __name__ == "__main__":
    main()
