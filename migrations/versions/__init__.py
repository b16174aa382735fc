"""One file per step: `NNNN_name.py` with revision NNNN and SQL through `op.execute`."""
