"""``python -m lynkrc``: the command line."""

from lynkrc.cli.main import main

raise SystemExit(main())
