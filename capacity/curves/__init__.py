"""curves: say what lives here."""

from capacity.runtime.deprecated import old_names

__getattr__ = old_names(__name__)
