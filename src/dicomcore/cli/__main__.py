"""`python -m dicomcore.cli`."""

import sys

from dicomcore.cli.program import main

sys.exit(main())
