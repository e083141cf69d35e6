"""What every test and every documented example starts from."""

import os

# Before torch is imported: with another busy process beside it, a spinning OpenMP thread costs five times the speed.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
