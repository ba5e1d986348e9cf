"""`python -m dicomcore`: the command line."""

import sys

from dicomcore.cli import main

sys.exit(main())
