"""Which release this is."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("filplus-explorer")
except PackageNotFoundError:  # run from a folder that was never installed
    VERSION = "0+unknown"
