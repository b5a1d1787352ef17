"""What was public under another name in release 0.1: it works for one release, with a DeprecationWarning."""

from capacity.runtime.deprecated.finder import install, old_names
from capacity.runtime.deprecated.parameters import old_attribute, old_method, renamed_keywords

__all__ = ["install", "old_attribute", "old_method", "old_names", "renamed_keywords"]
