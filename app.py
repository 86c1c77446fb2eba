"""Start the web app: `python app.py`, the same as `forensics app`."""

import sys

from forensics.cli import main

if __name__ == "__main__":
    main(["app", *sys.argv[1:]])
