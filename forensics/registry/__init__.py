"""Which methods there are, told without importing any of them.

A method is described by a :class:`MethodSpec`; code and options are named by ``module:object``
strings that are imported when a job starts. Other packages add methods through the entry-point
group ``forensics.methods``, each entry naming a :class:`MethodSpec`.
"""

from forensics.registry.lookup import BUILT_IN, find_method, load_object, methods
from forensics.registry.spec import KINDS, MethodSpec, Variant

__all__ = ["BUILT_IN", "KINDS", "MethodSpec", "Variant", "find_method", "load_object", "methods"]
