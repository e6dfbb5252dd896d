"""`python -m router` is `mainstem`."""

from router.cli.main import main

if __name__ == "__main__":
    main()
