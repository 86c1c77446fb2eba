"""``python -m forensics`` is the same as ``forensics``."""

from forensics.cli import main

if __name__ == "__main__":
    main()
