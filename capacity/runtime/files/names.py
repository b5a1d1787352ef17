"""What files of results are called."""

CURVE_FILE = "curve.nc"
VERDICT_FILE = "verdict.json"
CLAIMS_FILE = "claims.json"
