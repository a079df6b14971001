"""Sample: a made-up community whose truth is known, by seed and at any size."""

from qunluo.sample.plan import Plan, PlanImpossibleError
from qunluo.sample.whatsapp import write_whatsapp
from qunluo.sample.write import FILES, Sample, SampleNotWrittenError, write_sample

__all__ = [
    "FILES",
    "Plan",
    "PlanImpossibleError",
    "Sample",
    "SampleNotWrittenError",
    "write_sample",
    "write_whatsapp",
]
